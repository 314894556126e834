"""Requests that carry an id which names a site: that site's copies first, as a naive reading says."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.edge.clusters import assignment, cluster
from amalthea.edge.listeners import listener
from amalthea.edge.routes import route_configuration
from amalthea.edge.table import Table, Traffic, table
from amalthea.model.fleet import HERE, EdgeDeclaration, Fleet, ProviderDeclaration, ServiceDeclaration
from amalthea.model.route import Endpoint, Fallback, Route
from amalthea.model.units import Duration

SITES = ("north", "far-north", "south")
BY_PATH = Route(service="tmpnb", host="try", prefix="/user", keyed=True)
BY_HOST = Route(service="tmpnb", host="*.try", keyed=True)
PLAIN = (Route(service="nbviewer", host="nbviewer"), Route(service="tmpnb", host="try"))
ANYWHERE = (Traffic.WEBSOCKET, Traffic.IDEMPOTENT, Traffic.OTHER)


def fleet(edge: EdgeDeclaration | None = None, *, sites: tuple[str, ...] = SITES) -> Fleet:
    return Fleet(
        name="test",
        domain="example.org",
        providers={s: ProviderDeclaration(kind="process", listen=f"127.0.0.1:{n}") for n, s in enumerate(sites, 8001)},
        edge=edge or EdgeDeclaration(on="here", home="north"),
        services={name: ServiceDeclaration(on=sites) for name in ("nbviewer", "tmpnb")},
    )


def made(of: Fleet, site: str = HERE, *, routes: tuple[Route, ...] = (*PLAIN, BY_PATH, BY_HOST)) -> Table:
    copies = [
        Endpoint(service=service, site=place, address="127.0.0.1", port=9000 + n, ready_port=9100 + n)
        for service in of.services
        for n, place in enumerate(of.providers)
    ]
    return table(of, site, routes=routes, endpoints=copies)


def goes_to(of: Table, host: str, path: str, traffic: Traffic = Traffic.IDEMPOTENT, *, site: str = "") -> str | None:
    row = of.match(host, path, traffic, site=site)
    return row.cluster if row else None


def hosts(of: Table, name: str) -> list[tuple[int, str, int]]:
    (found,) = (c for c in of.clusters if c.name == name)
    return [(host.priority, host.site, host.port) for host in found.hosts]


@pytest.mark.parametrize("traffic", ANYWHERE)
def test_an_id_in_the_path_names_the_site_whatever_the_kind_of_request(traffic: Traffic) -> None:
    of = made(fleet())
    assert goes_to(of, "try.example.org", "/user/k3j9-north/lab", traffic) == "tmpnb~north"
    assert goes_to(of, "try.example.org", "/user/k3j9-south", traffic) == "tmpnb~south"


@pytest.mark.parametrize("traffic", ANYWHERE)
def test_an_id_in_the_host_names_the_site_whatever_the_kind_of_request(traffic: Traffic) -> None:
    of = made(fleet())
    assert goes_to(of, "k3j9-north.try.example.org", "/", traffic) == "tmpnb~north"
    assert goes_to(of, "K3J9-South.Try.example.org", "/lab", traffic) == "tmpnb~south"


def test_of_two_sites_that_an_id_may_end_in_the_longer_one_is_meant() -> None:
    for sites in (SITES, SITES[::-1]):
        of = made(fleet(sites=sites))
        assert goes_to(of, "try.example.org", "/user/k3j9-far-north/lab") == "tmpnb~far-north"
        assert goes_to(of, "k3j9-far-north.try.example.org", "/lab") == "tmpnb~far-north"


@pytest.mark.parametrize(
    "path",
    [
        "/user",
        "/user/",
        "/user/north",
        "/user/-north",
        "/user/k3j9-west/lab",
        "/user/k3j9-northern",
        "/user/k3j9-NORTH",
        "/user//k3j9-north",
        "/user/x/k3j9-north",
        "/user/k3.j9-north",
        "/user/k3%6a9-north",
        "/user/k3j9-north%2Flab",
        "/user/k3j9-north;x/lab",
        "/user/kürzel-north",
    ],
)
def test_whatever_else_is_below_the_prefix_goes_to_any_copy(path: str) -> None:
    assert goes_to(made(fleet(), routes=(BY_PATH,)), "try.example.org", path) == "tmpnb"


@pytest.mark.parametrize("label", ["k3j9", "north", "-north", "k3j9-west", "a.k3j9-north", "k3_j9-north"])
def test_a_wildcard_host_without_a_sites_name_goes_to_any_copy(label: str) -> None:
    assert goes_to(made(fleet()), f"{label}.try.example.org", "/user/k3j9-north/lab") == "tmpnb"


def test_a_path_beside_the_prefix_is_none_of_the_keyed_routes() -> None:
    assert goes_to(made(fleet(), routes=(BY_PATH,)), "try.example.org", "/users/k3j9-north") is None


def test_a_whole_name_goes_before_a_wildcard_and_the_longer_wildcard_before_the_shorter() -> None:
    named = ("*.example.org", "*.try", "a-north.try.example.org", "*.deep.try.example.org")
    routes = tuple(Route(service="tmpnb", host=host, keyed=host == "*.try") for host in named)
    of = made(fleet(), routes=routes)
    asked = {
        "a-north.try.example.org": "a-north.try.example.org",
        "b-north.try.example.org": "*.try.example.org",
        "x.deep.try.example.org": "*.deep.try.example.org",
        "other.example.org": "*.example.org",
    }
    for host, expected in asked.items():
        row = of.match(host, "/", Traffic.OTHER)
        assert row is not None
        assert row.host == expected
    assert of.match("example.org", "/", Traffic.OTHER) is None


def test_a_pin_wins_over_the_site_that_an_id_names() -> None:
    of = made(fleet())
    for host, path in (("try.example.org", "/user/k-north/lab"), ("k-north.try.example.org", "/lab")):
        assert goes_to(of, host, path, Traffic.PINNED, site="south") == "tmpnb@south"


def test_a_forwarded_request_is_answered_where_it_is_also_at_the_wrong_site() -> None:
    of = made(fleet(EdgeDeclaration()), "south")
    for host, path in (("try.example.org", "/user/k-north/lab"), ("k-north.try.example.org", "/lab")):
        assert goes_to(of, host, path, Traffic.FORWARDED) == "tmpnb@south"
        assert goes_to(made(fleet()), host, path, Traffic.FORWARDED) == ""


def test_the_copies_of_the_named_site_come_first_and_all_others_behind() -> None:
    of = made(fleet())
    assert hosts(of, "tmpnb~south") == [(0, "south", 9002), (1, "far-north", 9001), (1, "north", 9000)]
    assert {c.name for c in of.clusters if c.loyal} == {f"tmpnb~{site}" for site in SITES}


def test_other_sites_are_reached_through_their_edge() -> None:
    of = made(fleet(EdgeDeclaration()), "north")
    assert hosts(of, "tmpnb~south") == [(0, "south", 8003), (1, "far-north", 8002), (1, "north", 9000)]
    assert hosts(of, "tmpnb~north") == [(0, "north", 9000), (1, "far-north", 8002), (1, "south", 8003)]


def test_a_sick_copy_beside_a_well_one_sends_nobody_to_another_site() -> None:
    (near,) = (c for c in made(fleet()).clusters if c.name == "tmpnb~north")
    assert assignment(near)["policy"] == {"overprovisioning_factor": 100_000}


def test_the_silence_of_a_machine_ends_streams_that_have_no_time_limit() -> None:
    for of in made(fleet()).clusters:
        words = cluster(of, directory=Path("/x"))
        assert ("keepalive_probes" in words["upstream_connection_options"]["tcp_keepalive"]) is of.loyal
        assert ("upstream_bind_config" in words) is of.loyal


def envoys(of: Table) -> list[dict[str, Any]]:
    """The actions of every route of the keyed service in Envoy's words."""
    made = route_configuration(of, fleet(), [])
    mine = [host for host in made["virtual_hosts"] if host["name"] in {"try.example.org", "*.try.example.org"}]
    return [route["route"] for host in mine for route in host["routes"] if "route" in route]


def test_nothing_on_a_keyed_route_is_raced_timed_out_or_asked_again_once_delivered() -> None:
    eager = [Route(service="tmpnb", host=h, hedge=Duration(0.3), keyed=True) for h in ("try", "*.try")]
    actions = envoys(made(fleet(), routes=tuple(eager)))
    assert {action["cluster"] for action in actions} > {"tmpnb", "tmpnb~north", "tmpnb@north"}
    for action in actions:
        assert (action["timeout"], action["idle_timeout"]) == ("0s", "3600s")
        assert action["retry_policy"]["retry_on"] == "connect-failure,refused-stream"
        assert "hedge_policy" not in action
        assert "per_try_timeout" not in action["retry_policy"]


def test_services_without_a_keyed_route_are_as_they_were() -> None:
    before, after = (made(fleet(), routes=routes) for routes in (PLAIN, (*PLAIN, BY_PATH, BY_HOST)))
    assert [row for row in after.rows if row.route in PLAIN] == list(before.rows)
    assert after.clusters[: len(before.clusters)] == before.clusters
    for of in before.clusters:
        assert "policy" not in assignment(of)
    (old,) = (h for h in route_configuration(before, fleet(), [])["virtual_hosts"] if h["name"].startswith("nbviewer"))
    assert old in route_configuration(after, fleet(), [])["virtual_hosts"]


def manager(*routes: Route) -> dict[str, Any]:
    of = listener(made(fleet(), routes=routes), fleet(), address="127.0.0.1:8000", directory=Path("/x"))
    found: dict[str, Any] = of["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def test_an_edge_with_a_keyed_route_logs_no_queries_and_none_at_all_logs_referers() -> None:
    plain, keyed = (
        manager(*routes)["access_log"][0]["typed_config"]["log_format"]["json_format"]
        for routes in (PLAIN, (*PLAIN, BY_PATH))
    )
    assert plain | {"path": "%PATH(NQ:ORIG_OR_PATH)%"} == keyed
    assert plain["path"] == "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
    assert "REFERER" not in str([plain, keyed]).upper()


def test_a_fallback_gets_the_path_of_a_keyed_request_but_never_its_query() -> None:
    fallback = Fallback(redirect="https://else.example/", keep_path=True)
    (reply,) = manager(Route(service="tmpnb", host="*.try", keyed=True, fallback=fallback))["local_reply_config"][
        "mappers"
    ]
    assert reply["headers_to_add"][0]["header"] == {"key": "location", "value": "https://else.example%PATH(NQ:PATH)%"}


sites = st.lists(
    st.lists(st.sampled_from(["a", "b", "far", "north", "n1"]), min_size=1, max_size=3).map("-".join),
    min_size=1,
    max_size=5,
    unique=True,
)
parts = st.lists(st.sampled_from(["a", "b", "far", "north", "n1", "", "K", ".", "%2d", "é"]), max_size=5).map("-".join)
rests = st.sampled_from(["", "/", "/lab", "/a-north", "//"])
ID = frozenset(string.ascii_letters + string.digits + "-")


def naive(part: str, of: list[str]) -> str:
    """The cluster for an id, read letter by letter."""
    ends = [site for site in of if len(part) > len(site) + 1 and part.endswith("-" + site)]
    return f"tmpnb~{max(ends, key=len)}" if ends and set(part) <= ID else "tmpnb"


@given(sites=sites, part=parts, rest=rests, prefix=st.sampled_from(["/", "/user", "/user/", "/a/b.c"]))
def test_the_longest_site_that_a_path_names_wins(sites: list[str], part: str, rest: str, prefix: str) -> None:
    route = Route(service="tmpnb", host="try", prefix=prefix, keyed=True)
    of = made(fleet(sites=tuple(sites)), routes=(route,))
    path = f"{prefix.rstrip('/')}/{part}{rest}"
    for traffic in ANYWHERE:
        assert goes_to(of, "try.example.org", path, traffic) == naive(part, sites)
    assert goes_to(of, "try.example.org", path, Traffic.PINNED, site=sites[0]) == f"tmpnb@{sites[0]}"
    assert goes_to(of, "try.example.org", path, Traffic.FORWARDED) == ""


@given(sites=sites, label=parts.filter(lambda part: part not in ("", ".")))
def test_the_longest_site_that_a_host_names_wins(sites: list[str], label: str) -> None:
    of = made(fleet(sites=tuple(sites)), routes=(BY_HOST, BY_PATH))
    for traffic in ANYWHERE:
        assert goes_to(of, f"{label}.try.example.org", "/user/k-a", traffic) == naive(label, sites)


@given(sites=sites, key=st.text(sorted(ID - {"-"}), min_size=1))
def test_an_id_whose_key_has_no_hyphen_is_read_as_it_was_made(sites: list[str], key: str) -> None:
    of = made(fleet(sites=tuple(sites)))
    for site in sites:
        assert goes_to(of, "try.example.org", f"/user/{key}-{site}/lab") == f"tmpnb~{site}"
        assert goes_to(of, f"{key}-{site}.try.example.org", "/lab") == f"tmpnb~{site}"
