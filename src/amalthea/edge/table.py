"""Who answers what: fleet and site in, an ordered table out. Pure, and compared as values in the tests.

A row sends requests for one host and path prefix to one cluster. Rows stand in the order in which they are
tried, and the first that fits wins, so the longest prefix comes first. Within a prefix:

1. a request that asks for one site (`x-amalthea-site`) gets that site's copy and no other;
2. a request that another edge already forwarded (`x-amalthea-hop`) gets a copy of this site, or 508;
3. on a keyed route, a request whose id names a site gets that site's copies first, the others' when none is well;
4. a WebSocket is never raced, never timed out;
5. GET and HEAD are retried elsewhere and raced against another copy when the answer is slow;
6. everything else is retried only where it was certainly never delivered, and so is all of a keyed route.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from amalthea.edge.errors import UnreachableAddress
from amalthea.edge.hosts import covers, public, wild
from amalthea.edge.keys import authorities, longest_first, paths
from amalthea.model.fleet import HERE, Fleet
from amalthea.model.route import Endpoint, Route


class Traffic(StrEnum):
    """Which requests a row is for."""

    PINNED = "pinned"
    FORWARDED = "forwarded"
    KEYED = "keyed"
    WEBSOCKET = "websocket"
    IDEMPOTENT = "idempotent"
    OTHER = "other"


class Host(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One address that a cluster sends to. `name` is the Host header that its health check needs, if any."""

    priority: int
    site: str
    address: str
    port: int
    ready_port: int
    name: str = ""


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Copies of a service that may stand in for each other; `checked` ones are asked for their health.

    With some copies of the first priority sick, its well ones get all requests if `loyal`, else the next priority
    takes a share.
    """

    name: str
    hosts: tuple[Host, ...]
    checked: bool
    loyal: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. An empty `cluster` refuses the request: 508 for a forwarded one.

    `site` is the one that a pinned or keyed request names.
    """

    host: str
    prefix: str
    traffic: Traffic
    cluster: str
    route: Route
    site: str = ""

    def takes(self, host: str, path: str, traffic: Traffic, *, site: str = "") -> bool:
        """Whether it answers such a request for its host; `site` is the one that a pinned request asks for."""
        if self.traffic is Traffic.KEYED:
            return traffic not in (Traffic.PINNED, Traffic.FORWARDED) and self._named(host, path)
        fits = below(path, self.prefix) and self.traffic is traffic
        return fits and (traffic is not Traffic.PINNED or self.site == site)

    def _named(self, host: str, path: str) -> bool:
        if not wild(self.host):
            return re.fullmatch(paths(self.prefix, self.site), path) is not None
        return below(path, self.prefix) and re.fullmatch(authorities(self.host, self.site), host) is not None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All that one edge knows."""

    site: str
    rows: tuple[Row, ...]
    clusters: tuple[Cluster, ...]

    def match(self, host: str, path: str, traffic: Traffic, *, site: str = "") -> Row | None:
        """The row that answers, as Envoy finds it: the first that fits, of those for the name that covers `host` best.

        `path` is without its query; `traffic` is the request's own kind, which is never keyed.
        """
        name = next((row.host for row in self.rows if covers(row.host, host)), "")
        fitting = (row for row in self.rows if row.host == name and row.takes(host, path, traffic, site=site))
        return next(fitting, None)


def below(path: str, prefix: str) -> bool:
    """Whether `path` is `prefix` or lies below it; `/a` does not cover `/ab`, and `/a/` is the same as `/a`."""
    return f"{path}/".startswith(f"{prefix.rstrip('/')}/")


def pinned(service: str, site: str) -> str:
    """The name of the cluster that holds the copies of one site alone."""
    return f"{service}@{site}"


def preferring(service: str, site: str) -> str:
    """The name of the cluster that sends to other sites only while none of this one's copies is well."""
    return f"{service}~{site}"


def table(fleet: Fleet, site: str, *, routes: Sequence[Route], endpoints: Sequence[Endpoint]) -> Table:
    """The table of the edge at `site` (`here`: the one outside every site).

    `endpoints` are the copies that run; sites that have an edge of their own are reached through that, and
    stay in the table even when nobody knows what runs there: their health decides.
    """
    services = dict.fromkeys(route.service for route in routes)
    hosts = {service: _hosts(fleet, site, service, endpoints) for service in services}
    keyed = dict.fromkeys(route.service for route in routes if route.keyed)
    plain = (cluster for service in services for cluster in _clusters(fleet, site, service, hosts[service]))
    return Table(
        site=site,
        rows=tuple(row for route in sorted(routes, key=_place(fleet)) for row in _rows(fleet, site, route)),
        clusters=(*plain, *(cluster for service in keyed for cluster in _keyed(service, hosts[service]))),
    )


def _place(fleet: Fleet) -> Callable[[Route], tuple[bool, int, str, int, str]]:
    """Where a route stands: whole names before wildcards, and longer wildcards and prefixes before shorter ones."""

    def place(route: Route) -> tuple[bool, int, str, int, str]:
        host = public(fleet.names, route.host)
        return wild(host), -len(host) if wild(host) else 0, route.host, -len(route.prefix.rstrip("/")), route.prefix

    return place


def _rows(fleet: Fleet, site: str, route: Route) -> Iterable[Row]:
    host = public(fleet.names, route.host)

    def row(traffic: Traffic, cluster: str, of: str = "") -> Row:
        return Row(host=host, prefix=route.prefix, traffic=traffic, cluster=cluster, route=route, site=of)

    for name in fleet.services[route.service].on:
        yield row(Traffic.PINNED, pinned(route.service, name), name)
    at_home = site in fleet.services[route.service].on
    yield row(Traffic.FORWARDED, pinned(route.service, site) if at_home else "")
    for name in longest_first(fleet.services[route.service].on if route.keyed else ()):
        yield row(Traffic.KEYED, preferring(route.service, name), name)
    if route.websocket:
        yield row(Traffic.WEBSOCKET, route.service)
    yield row(Traffic.IDEMPOTENT, route.service)
    yield row(Traffic.OTHER, route.service)


def _clusters(fleet: Fleet, site: str, service: str, hosts: Mapping[str, tuple[Host, ...]]) -> Iterable[Cluster]:
    yield Cluster(name=service, hosts=tuple(sorted(h for some in hosts.values() for h in some)), checked=True)
    for name in fleet.services[service].on:
        own = tuple(sorted(msgspec.structs.replace(host, priority=0) for host in hosts[name]))
        yield Cluster(name=pinned(service, name), hosts=own, checked=name == site)


def _keyed(service: str, hosts: Mapping[str, tuple[Host, ...]]) -> Iterable[Cluster]:
    for name in hosts:
        near_and_far = (
            msgspec.structs.replace(host, priority=int(site != name)) for site, some in hosts.items() for host in some
        )
        yield Cluster(name=preferring(service, name), hosts=tuple(sorted(near_and_far)), checked=True, loyal=True)


def _hosts(fleet: Fleet, site: str, service: str, endpoints: Sequence[Endpoint]) -> dict[str, tuple[Host, ...]]:
    return {
        name: (_edge_of(fleet, name, service),)
        if name != site and name in fleet.edge_sites
        else tuple(_direct(fleet, site, e) for e in endpoints if e.service == service and e.site == name)
        for name in fleet.services[service].on
    }


def _direct(fleet: Fleet, site: str, endpoint: Endpoint) -> Host:
    home = fleet.edge.home if site == HERE else site
    return Host(
        priority=0 if endpoint.site == home or not home else 1,
        site=endpoint.site,
        address=_address(endpoint.address),
        port=endpoint.port,
        ready_port=endpoint.ready_port,
    )


def _edge_of(fleet: Fleet, name: str, service: str) -> Host:
    provider = fleet.providers[name]
    address, _, port = (provider.address or provider.listen or fleet.edge.listen).rpartition(":")
    return Host(
        priority=1,
        site=name,
        address=_address(address.strip("[]")),
        port=int(port),
        ready_port=int(port),
        name=fleet.names.host(service),
    )


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise UnreachableAddress(
            "an edge is sent to IP addresses only, since a name may stop resolving just when it is needed",
            where=text,
            hint="Write the address of that provider's edge as IP:port.",
        ) from None
