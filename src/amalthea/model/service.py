"""Something that the public uses: the contract. All of it but `serve` is pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.dataset import Dataset
from amalthea.model.fleet import Fleet, Site
from amalthea.model.probe import Probe, Watch
from amalthea.model.route import Route
from amalthea.model.spawner import Environment, Spawner
from amalthea.model.store import ObjectStore
from amalthea.model.workload import Workload

S = TypeVar("S", contravariant=True)


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service's process answers: `http` for visitors, `admin` for health and metrics."""

    host: str = "127.0.0.1"
    http: int = 0
    admin: int = 0


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """All that one process of a service is told when it starts, as JSON in `AMALTHEA_LAUNCH`.

    `settings` is the service's own table; `watches` is filled for a service whose `watches` is true.
    """

    service: str
    site: Site
    settings: dict[str, Any] = {}
    watches: tuple[Watch, ...] = ()


OpenSpawner = Callable[[str, Sequence[Environment]], AbstractAsyncContextManager[Spawner]]
"""Opens what starts sessions, by the kind that the settings name, for some environments. Raises `AmaltheaError`."""


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """The open handles that a service gets. Whoever made it closes them."""

    listen: Listen
    store: ObjectStore
    clock: Clock
    watches: Sequence[Watch] = ()
    open_spawner: OpenSpawner | None = None


class Service(Protocol[S]):
    """One service. `name` is its key in the fleet file, `settings` the struct of its table there.

    `summary` is one line for lists; `watches` asks for the probes of the whole fleet at launch; `copies` says whether
    a site may run several.
    """

    name: str
    summary: str
    settings: type[Any]
    watches: bool
    copies: bool

    def routes(self, settings: S, fleet: Fleet) -> Sequence[Route]:
        """What the edge answers, and the fallback."""
        ...

    def probes(self, settings: S, fleet: Fleet) -> Sequence[Probe]:
        """What status, apply and drills ask."""
        ...

    def datasets(self, settings: S) -> Sequence[Dataset]:
        """The key prefixes it owns."""
        ...

    def workloads(self, settings: S, site: Site) -> Sequence[Workload]:
        """What a provider runs for one replica at `site`; `launch` and `version` are filled in later."""
        ...

    async def serve(self, settings: S, site: Site, runtime: Runtime) -> None:
        """Answer visitors until cancelled."""
        ...
