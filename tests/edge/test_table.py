"""The table is a value; the longest prefix wins, as a naive reading says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.edge.errors import UnreachableAddress
from amalthea.edge.table import Row, Table, Traffic, below, table
from amalthea.model.fleet import EdgeDeclaration, Fleet, ProviderDeclaration, ServiceDeclaration
from amalthea.model.route import Endpoint, Route

SITES = ("north", "south")


def fleet(edge: EdgeDeclaration | None = None, *, services: tuple[str, ...] = ("nbviewer",)) -> Fleet:
    return Fleet(
        name="test",
        domain="localhost",
        providers={
            "north": ProviderDeclaration(kind="process", listen="127.0.0.1:8001"),
            "south": ProviderDeclaration(kind="process", address="10.1.1.1:443"),
        },
        edge=edge or EdgeDeclaration(on="here", home="north"),
        services={name: ServiceDeclaration(on=SITES) for name in services},
    )


def endpoint(site: str, port: int = 9000, service: str = "nbviewer") -> Endpoint:
    return Endpoint(service=service, site=site, address="127.0.0.1", port=port, ready_port=port + 1)


def made(edge: EdgeDeclaration | None = None, *, site: str = "here") -> Table:
    return table(
        fleet(edge), site, routes=[Route(service="nbviewer", host="nbviewer")], endpoints=[endpoint(s) for s in SITES]
    )


def cluster(of: Table, name: str) -> list[tuple[int, str, int]]:
    (found,) = (c for c in of.clusters if c.name == name)
    return [(host.priority, host.site, host.port) for host in found.hosts]


def test_an_edge_outside_every_site_prefers_the_home_site() -> None:
    assert cluster(made(), "nbviewer") == [(0, "north", 9000), (1, "south", 9000)]


def test_without_a_home_all_sites_share_the_visitors() -> None:
    assert cluster(made(EdgeDeclaration(on="here")), "nbviewer") == [(0, "north", 9000), (0, "south", 9000)]


def test_an_edge_at_a_site_prefers_its_own_copies_and_reaches_the_others_through_their_edge() -> None:
    assert cluster(made(EdgeDeclaration(), site="north"), "nbviewer") == [(0, "north", 9000), (1, "south", 443)]
    assert cluster(made(EdgeDeclaration(), site="south"), "nbviewer") == [(0, "south", 9000), (1, "north", 8001)]


def test_a_site_with_an_edge_stays_in_the_table_when_nobody_knows_what_runs_there() -> None:
    alone = table(fleet(EdgeDeclaration()), "north", routes=[Route(service="nbviewer", host="nbviewer")], endpoints=[])
    assert cluster(alone, "nbviewer") == [(1, "south", 443)]


def test_a_request_for_one_site_gets_that_site_alone() -> None:
    of = made()
    row = of.match("nbviewer.localhost", "/x", Traffic.PINNED, site="south")
    assert row is not None
    assert cluster(of, row.cluster) == [(0, "south", 9000)]


def test_a_forwarded_request_is_refused_where_nothing_is_at_home() -> None:
    row = made().match("nbviewer.localhost", "/x", Traffic.FORWARDED)
    assert row is not None
    assert row.cluster == ""


def test_a_forwarded_request_is_answered_at_home_and_never_sent_on() -> None:
    of = made(EdgeDeclaration(), site="north")
    row = of.match("nbviewer.localhost", "/x", Traffic.FORWARDED)
    assert row is not None
    assert cluster(of, row.cluster) == [(0, "north", 9000)]


def test_an_edge_that_is_known_by_a_name_is_refused() -> None:
    named = fleet(EdgeDeclaration())
    providers = {**named.providers, "south": ProviderDeclaration(kind="process", address="edge.example.org:443")}
    with pytest.raises(UnreachableAddress, match=r"edge\.example\.org"):
        table(
            Fleet(name="t", domain="localhost", providers=providers, edge=named.edge, services=named.services),
            "north",
            routes=[Route(service="nbviewer", host="nbviewer")],
            endpoints=[],
        )


paths = st.lists(st.sampled_from(["a", "ab", "b", "user"]), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(prefixes=st.sets(paths, min_size=1), path=paths)
def test_the_longest_prefix_wins(prefixes: set[str], path: str) -> None:
    services = {prefix: f"s{number}" for number, prefix in enumerate(sorted(prefixes))}
    of = table(
        fleet(services=tuple(services.values())),
        "here",
        routes=[Route(service=service, host="x", prefix=prefix) for prefix, service in services.items()],
        endpoints=[],
    )
    oracle = max((p for p in prefixes if (path + "/").startswith(p.rstrip("/") + "/")), key=len, default=None)
    row: Row | None = of.match("x.localhost", path, Traffic.IDEMPOTENT)
    assert (row.prefix if row else None) == oracle


@given(path=paths, prefix=paths | paths.map(lambda path: path.rstrip("/") + "/"))
def test_a_prefix_covers_whole_parts_only(path: str, prefix: str) -> None:
    parts, start = path.strip("/").split("/"), prefix.strip("/").split("/")
    assert below(path, prefix) == (prefix == "/" or parts[: len(start)] == start)
