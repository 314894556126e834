"""Two imagined services and three kinds of provider, with every type of key that a fleet file can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from amalthea.fleet.declaration import ProviderKind
from amalthea.fleet.loading import loads
from amalthea.model.dataset import Dataset
from amalthea.model.fleet import Fleet, Site
from amalthea.model.probe import Probe
from amalthea.model.route import Route
from amalthea.model.service import Runtime, Service
from amalthea.model.units import ByteSize, Duration
from amalthea.model.workload import Feature, Workload


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Mirror(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(description="Where the mirror is.", examples=["mirror.example.org"])]
    weight: Annotated[int, Meta(description="How much it takes.", ge=0)] = 1


class BoardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the board shows."""

    every: Annotated[Duration, Meta(description="How often it asks.")] = Duration(10)
    ticket: Annotated[str, Meta(description="The prefix of a ticket.", pattern="^[A-Z]+$", examples=["ABC"])] = "T"
    quiet: Annotated[bool, Meta(description="Whether it says nothing.")] = False

    def __post_init__(self) -> None:
        if self.quiet and self.every < 1:
            raise ValueError("a quiet board cannot ask more than once a second")


class ReaderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reader reads."""

    hosts: Annotated[tuple[str, ...], Meta(description="Where it may read.", examples=[["example.org"]])] = ()
    cache: Annotated[ByteSize, Meta(description="How much it remembers.")] = ByteSize(256 * 2**20)
    timeout: Annotated[Duration | None, Meta(description="When it gives up.", examples=["5 s"])] = None
    ratio: Annotated[float, Meta(description="A share.", gt=0, lt=1)] = 0.5
    colour: Annotated[Colour, Meta(description="Of the page.")] = Colour.RED
    mode: Annotated[Literal["fast", "slow"] | int, Meta(description="How it goes.")] = "fast"
    since: Annotated[date | None, Meta(description="The first day.", examples=[date(2026, 1, 2)])] = None
    headers: Annotated[dict[str, str], Meta(description="Sent along.", examples=[{"x-a": "b"}])] = {}
    mirrors: Annotated[tuple[Mirror, ...], Meta(description="Other places.")] = ()
    extra: Annotated[Any, Meta(description="Whatever.", examples=["x"])] = None


class MachineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind without keys of its own."""


class CloudSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cluster."""

    context: Annotated[str, Meta(description="The name of the cluster.", examples=["dfw"])]
    nodes: Annotated[int, Meta(description="How many machines.", ge=1)] = 3


class ImaginedService:
    """Describes itself; has nothing to serve."""

    def __init__(self, name: str, settings: type[Any], *, watches: bool = False, copies: bool = True) -> None:
        self.name = name
        self.summary = f"an imagined {name}"
        self.settings = settings
        self.watches = watches
        self.copies = copies

    def routes(self, settings: Any, fleet: Fleet) -> Sequence[Route]:
        return [Route(service=self.name, host=self.name)]

    def probes(self, settings: Any, fleet: Fleet) -> Sequence[Probe]:
        return [Probe(name="front", path="/")]

    def datasets(self, settings: Any) -> Sequence[Dataset]:
        return [Dataset(prefix=f"{self.name}/")]

    def workloads(self, settings: Any, site: Site) -> Sequence[Workload]:
        return [Workload(name=self.name, service=self.name, argv=("amalthea", "serve", self.name))]

    async def serve(self, settings: Any, site: Site, runtime: Runtime) -> None:
        return


SERVICES: Mapping[str, Service[Any]] = {
    "reader": ImaginedService("reader", ReaderSettings),
    "board": ImaginedService("board", BoardSettings, watches=True),
}
KINDS = {
    "machine": ProviderKind(
        name="machine",
        settings=MachineSettings,
        supports=frozenset({Feature.FIXED_PORT, Feature.SHARED_FILES}),
        local_store=True,
    ),
    "cloud": ProviderKind(name="cloud", settings=CloudSettings),
}
SMALL = """
[fleet]
name = "small"
domain = "localhost"

[providers.north]
kind = "machine"

[providers.south]
kind = "machine"

[edge]
on = "here"
home = "north"

[services.reader]
[services.board]
"""


def small(text: str = SMALL) -> Fleet:
    return loads(text, "fleet.toml", services=SERVICES, kinds=KINDS)
