"""What the fleet file means: which workload runs at which site, and what its process is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from amalthea.model.edge import SITE_HEADER, Edge
from amalthea.model.fleet import HERE, Fleet, Site
from amalthea.model.probe import Watch
from amalthea.model.service import Launch, Service
from amalthea.model.wire import builtins, encode
from amalthea.model.workload import Workload

_EVERYWHERE = ("0.0.0.0", "[::]")


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """One workload at one site."""

    site: str
    workload: Workload


def desired(
    fleet: Fleet,
    *,
    sites: Mapping[str, Site],
    services: Mapping[str, Service[Any]],
    edges: Sequence[Edge],
    version: str,
    watches: Sequence[Watch],
) -> list[Placement]:
    """Everything that has to run: the edges, then each service at each of its sites, `replicas` times.

    The n-th copy of a workload is called `<workload>-<n>`, from 1. `version` is a part of the identity of what
    services run, so a new version replaces all of it; an edge has a version of its own and stays.
    """
    placements = [Placement(site=edge.site, workload=edge.workload()) for edge in edges]
    for name, declared in fleet.services.items():
        for site in declared.on:
            launch = Launch(
                service=name,
                site=sites[site],
                settings=builtins(declared.settings),
                watches=tuple(watches) if services[name].watches else (),
            )
            for workload in services[name].workloads(declared.settings, sites[site]):
                whole = msgspec.structs.replace(workload, version=version, launch=encode(launch))
                placements += [Placement(site=site, workload=copy) for copy in _copies(whole, declared.replicas)]
    return placements


def watches(fleet: Fleet, services: Mapping[str, Service[Any]]) -> list[Watch]:
    """Every probe of every service at every site, asked through an edge, as a visitor would."""
    return [
        Watch(
            service=name,
            site=site,
            probe=probe,
            url=f"http://{_edge_address(fleet, site)}{probe.path}",
            headers={"host": _host_header(fleet, probe.host or name), SITE_HEADER: site},
        )
        for name, declared in fleet.services.items()
        for probe in services[name].probes(declared.settings, fleet)
        for site in declared.on
    ]


def _copies(workload: Workload, replicas: int) -> Iterator[Workload]:
    for number in range(1, replicas + 1):
        yield msgspec.structs.replace(workload, name=f"{workload.name}-{number}")


def _edge_address(fleet: Fleet, site: str) -> str:
    """Where the edge that answers for a site is reached: its own, or the first if it has none."""
    if fleet.edge_sites == (HERE,):
        return _reachable(fleet.edge.listen)
    provider = fleet.providers[site if site in fleet.edge_sites else fleet.edge_sites[0]]
    return provider.address or _reachable(provider.listen or fleet.edge.listen)


def _reachable(listen: str) -> str:
    host, _, port = listen.rpartition(":")
    return f"127.0.0.1:{port}" if host in _EVERYWHERE else listen


def _host_header(fleet: Fleet, host: str) -> str:
    names = fleet.names
    return names.host(host) + (f":{names.port}" if names.port else "")
