"""Which fleet a command is about: its file, and the directory where this machine keeps its things."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

import msgspec

import amalthea
from amalthea import catalogue
from amalthea.fleet.desired import Placement, desired, watches
from amalthea.fleet.loading import load, loads
from amalthea.fleet.sites import store_urls
from amalthea.fleet.template import laptop
from amalthea.model.clock import system_clock
from amalthea.model.edge import Edge
from amalthea.model.errors import UsageError
from amalthea.model.fleet import Fleet
from amalthea.model.provider import Provider
from amalthea.providers.process import held

FILE = "fleet.toml"
DIRECTORY = ".amalthea"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet with its providers and edges at hand, and what its file wants to run."""

    fleet: Fleet
    directory: Path
    providers: dict[str, Provider]
    edges: Sequence[Edge]
    placements: Sequence[Placement]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet file (the laptop fleet where there is none) and the fleet's state directory."""

    file: Path | None
    directory: Path

    def load(self) -> Fleet:
        """The fleet. Raises `FleetFileError` with everything that is wrong in the file."""
        services, kinds = catalogue.services(), catalogue.provider_kinds()
        if self.file is None:
            return loads(laptop(services, kinds), "the laptop fleet", services=services, kinds=kinds)
        return load(self.file, services=services, kinds=kinds)

    @asynccontextmanager
    async def open(self, *, lifeline: bool = False) -> AsyncIterator[Opened]:
        """The fleet with its providers; with `lifeline`, what they start ends with this process."""
        fleet, services = self.load(), catalogue.services()
        edges = catalogue.edges(fleet, directory=self.directory)
        providers = catalogue.open_providers(fleet, directory=self.directory, lifeline=lifeline, clock=system_clock)
        placements = desired(
            fleet,
            sites=fleet.sites(store_urls(fleet, self.directory)),
            services=services,
            edges=edges,
            version=amalthea.__version__,
            watches=watches(fleet, services),
        )
        try:
            yield Opened(fleet=fleet, directory=self.directory, providers=providers, edges=edges, placements=placements)
        finally:
            for provider in providers.values():
                await provider.aclose()

    def changing(self, *, patience: float = 0) -> AbstractContextManager[None]:
        """Keep every other command from changing this fleet meanwhile; the system lets go if we die.

        Waits `patience` seconds for one that changes it now. Raises `ProviderError`.
        """
        return held(self.directory / "run" / "change.lock", patience=patience, doing="changing this fleet")


def place(file: Path | None, directory: Path | None) -> Place:
    """What the command line says, or else `fleet.toml` and `.amalthea` in this directory."""
    if file is None and Path(FILE).is_file():
        file = Path(FILE)
    if file is not None and not file.is_file():
        raise UsageError("there is no such file", where=str(file), hint="Write one with `amalthea init`.")
    beside = file.parent if file else Path()
    return Place(file=file, directory=(directory or beside / DIRECTORY).absolute())
