"""A real Envoy sends a request whose id names a site there while a copy is well, and elsewhere when none is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import Popen

import pytest
import websockets

from amalthea.edge.table import Traffic, table
from amalthea.model.edge import HOP_HEADER, SITE_HEADER
from amalthea.model.fleet import EdgeDeclaration
from amalthea.model.route import Fallback, Route
from amalthea.model.units import Duration
from tests.edge.running import RunningEdge, copies, fleet, origins, running, start_origin
from tests.machine import free_ports

pytestmark = pytest.mark.system

SITES = ("north", "far-north", "south")
FALLBACK = Fallback(redirect="https://mybinder.example/v2", keep_path=True)
BRIEF = Duration(0.2)
ROUTES = (
    Route(service="nbviewer", host="nbviewer"),
    Route(service="tmpnb", host="try"),
    Route(service="tmpnb", host="try", prefix="/user", keyed=True, timeout=BRIEF, fallback=FALLBACK),
    Route(service="tmpnb", host="*.try", keyed=True, timeout=BRIEF, fallback=FALLBACK),
)
HOST = "try.localhost"


class Sites:
    """The edge outside three sites, and the origins there by site."""

    def __init__(self, edge: RunningEdge, ports: dict[str, int], processes: dict[str, Popen[bytes]]) -> None:
        self.edge = edge
        self.ports = ports
        self.processes = processes


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    ports, (listen,) = dict(zip(SITES, free_ports(3), strict=True)), free_ports(1)
    of = fleet(listen, sites=SITES)
    with origins(ports) as processes:
        async with running(of, "here", copies(ports, service="tmpnb"), routes=ROUTES) as edge:
            await edge.until_healthy(3)
            for site in SITES:
                await edge.until_text(site, f"/user/k-{site}", host=HOST)
            yield Sites(edge, ports, processes)


def asked(site: str, rest: str = "") -> list[tuple[str, str]]:
    """Host and path of a keyed request, by path and by host."""
    return [(HOST, f"/user/k3j9-{site}{rest}"), (f"k3j9-{site}.try.localhost", rest or "/")]


@asynccontextmanager
async def socket(edge: RunningEdge, host: str, path: str) -> AsyncIterator[websockets.ClientConnection]:
    """An open WebSocket under a public name."""
    address, _, port = edge.edge.address.rpartition(":")
    async with websockets.connect(f"ws://{host}:{port}{path}", host=address, port=int(port), proxy=None) as opened:
        yield opened


async def test_requests_reach_the_site_that_their_path_or_host_names(sites: Sites) -> None:
    for site in SITES:
        for host, path in asked(site, "/lab"):
            answers = await asyncio.gather(*(sites.edge.get(f"{path}?x=1", host=host) for _ in range(20)))
            assert {(answer.status_code, answer.text) for answer in answers} == {(200, site)}, (host, path)
            posted = await sites.edge.client.post(path, headers={"host": f"{host.upper()}:8000"})
            assert posted.text == site


async def test_a_websocket_reaches_the_site_that_its_path_or_host_names(sites: Sites) -> None:
    for site in SITES:
        for host, path in asked(site, "/echo"):
            async with socket(sites.edge, host, path) as opened:
                await opened.send("one")
                assert await opened.recv() == f"{site}: one"


async def test_when_a_site_is_killed_others_answer_within_three_seconds_and_its_websockets_are_cut(
    sites: Sites,
) -> None:
    (host, path), (own_host, _) = asked("south", "/echo")
    async with socket(sites.edge, host, path) as one, socket(sites.edge, own_host, "/echo") as two:
        sites.processes["south"].kill()
        async with asyncio.timeout(3):
            for host, path in asked("south", "/lab"):
                while (answer := await sites.edge.get(path, host=host)).status_code != 200:
                    await asyncio.sleep(0.05)
                assert answer.text in {"north", "far-north"}
                assert (await sites.edge.client.post(path, headers={"host": host})).text in {"north", "far-north"}
        for cut in (one, two):
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(cut.recv(), 10)
    host, path = asked("south", "/echo")[0]
    async with socket(sites.edge, host, path) as elsewhere:
        await elsewhere.send("two")
        assert await elsewhere.recv() in {"north: two", "far-north: two"}


async def test_a_site_that_is_back_gets_its_requests_again(sites: Sites) -> None:
    sites.processes["south"].kill()
    sites.processes["south"].wait()
    assert (await sites.edge.get("/user/k-south", host=HOST)).text != "south"
    sites.processes["south"] = start_origin("south", sites.ports["south"])
    await sites.edge.until_text("south", "/user/k-south", host=HOST)


async def test_one_copy_of_two_keeps_all_requests_at_its_site() -> None:
    north, spare, south, listen = free_ports(4)
    where = [
        *copies({"north": north, "south": south}, service="tmpnb"),
        *copies({"north": spare}, service="tmpnb"),
    ]
    with origins({"north": north, "south": south}) as processes, origins({"north": spare}):
        async with running(fleet(listen), "here", where, routes=ROUTES) as edge:
            await edge.until_healthy(3)
            processes["north"].kill()
            await edge.until_healthy(2)
            await edge.until_text("north", "/user/k-north", host=HOST)
            answers = await asyncio.gather(*(edge.get("/user/k-north", host=HOST) for _ in range(100)))
            assert {answer.text for answer in answers} == {"north"}


async def test_an_unknown_site_in_an_id_means_any_copy(sites: Sites) -> None:
    for host, path in asked("west", "/lab"):
        assert (await sites.edge.get(path, host=host)).status_code == 200
    for site in ("north", "far-north"):
        sites.processes[site].kill()
    for host, path in asked("west", "/lab"):
        await sites.edge.until_text("south", path, host=host)


async def test_a_pin_wins_over_the_site_that_an_id_names(sites: Sites) -> None:
    for host, path in asked("south", "/lab"):
        assert (await sites.edge.get(path, host=host, **{SITE_HEADER: "north"})).text == "north"
    sites.processes["north"].kill()
    pinned = await sites.edge.get("/user/k-south", host=HOST, **{SITE_HEADER: "north"})
    assert pinned.status_code == 307


async def test_envoy_reads_ids_as_the_table_does(sites: Sites) -> None:
    of = table(fleet(0, sites=SITES), "here", routes=ROUTES, endpoints=copies(sites.ports, service="tmpnb"))
    parts = ["k-south", "k-far-north", "k-north", "k.south", "south", "-south", "--south", "k-SOUTH", "K-south"]
    odd = [
        "k_-south",
        "k-south%2Flab",
        "%6b-south",
        "k-south;x",
        "k~-south",
        "k:x-south",
        "a-far-south",
        "k-far-north-",
    ]
    for part in [*parts, *odd]:
        for host, path in ((HOST, f"/user/{part}/lab"), (HOST, f"/user//{part}"), (f"{part}.try.localhost", "/x")):
            if host != HOST and not set(part).isdisjoint("%;~:"):
                continue
            row = of.match(host, path.replace("%6b", "k"), Traffic.IDEMPOTENT)
            assert row is not None
            expected = row.site or "north"  # the home site, for what names none
            assert (await sites.edge.get(path, host=host)).text == expected, (host, path)


async def test_dots_in_a_path_are_resolved_before_an_id_is_read(sites: Sites) -> None:
    assert (await sites.edge.get("/user/x/%2e%2e/k-south/lab", host=HOST)).text == "south"
    assert (await sites.edge.get("/user/k-south/%2e%2e/k-north/lab", host=HOST)).text == "north"


async def test_a_delivered_request_is_never_asked_again_however_long_it_takes(sites: Sites) -> None:
    """The routes say 0.2 s, and a slow answer takes a second."""
    for host, path in asked("south", "/slow"):
        assert (await sites.edge.get(path, host=host)).text == "south"
    hits = (await sites.edge.get("/hits", host=HOST, **{SITE_HEADER: "south"})).json()
    assert [number for what, number in hits.items() if what.endswith("/slow")] == [1, 1]
    waiting = asyncio.create_task(sites.edge.get("/user/last-south/slow", host=HOST))
    while (
        "GET /user/last-south/slow" not in (await sites.edge.get("/hits", host=HOST, **{SITE_HEADER: "south"})).json()
    ):
        await asyncio.sleep(0.02)
    sites.processes["south"].kill()
    assert (await waiting).status_code == 307
    for site in ("north", "far-north"):
        hits = (await sites.edge.get("/hits", host=HOST, **{SITE_HEADER: site})).json()
        assert not [what for what in hits if what.endswith("/slow")]


async def test_a_body_may_be_as_long_as_it_likes(sites: Sites) -> None:
    for host, path in asked("south", "/length"):
        body = bytes(24 << 20)
        if path == "/length":
            path = "/x/length"
        answer = await sites.edge.client.post(path, content=body, headers={"host": host}, timeout=60)
        assert answer.json() == ["south", len(body)]


async def test_without_any_copy_the_fallback_gets_the_path_and_not_the_token(sites: Sites) -> None:
    await sites.edge.edge.route([])
    for host, path in asked("south", "/lab"):
        answer = await sites.edge.get(f"{path}?token=s3cr3t", host=host)
        assert answer.status_code == 307
        assert answer.headers["location"] == f"https://mybinder.example/v2{path}"
        assert "s3cr3t" not in answer.text


async def test_no_token_gets_into_the_access_log(sites: Sites) -> None:
    secret, referer = "?token=s3cr3t", {"referer": "http://try.localhost/user/k-south/lab?token=s3cr3t"}
    paths = [
        "/user/k-south/lab",
        "/user//k-south/lab",
        "/users/k-south",
        "/%75ser/k-south/lab",
        "/user/x/%2e%2e/k-south",
    ]
    for path in paths:
        await sites.edge.get(f"{path}{secret}", host=HOST, **referer)
    for host in ("k-south.try.localhost", "nbviewer.localhost", "nobody.example"):
        await sites.edge.get(f"/lab{secret}", host=host, **referer)
    async with socket(sites.edge, HOST, f"/user/k-south/echo{secret}"):
        pass
    await sites.edge.get(f"/last{secret}", host=HOST)
    async with asyncio.timeout(15):
        while '"/last"' not in (text := sites.edge.log.read_text()) or "/echo" not in text:
            await asyncio.sleep(0.1)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {"/user/k-south/lab", "/user/k-south/echo", "/user//k-south/lab"} <= {line["path"] for line in lines}
    assert "s3cr3t" not in text


@asynccontextmanager
async def two_edges() -> AsyncIterator[tuple[RunningEdge, RunningEdge, dict[str, Popen[bytes]]]]:
    """Edges at north and south that know only their own copies and each other."""
    pair = ("north", "south")
    ports, listens = dict(zip(pair, free_ports(2), strict=True)), free_ports(2)
    of = fleet(0, edge=EdgeDeclaration(), providers={s: f"127.0.0.1:{p}" for s, p in zip(pair, listens, strict=True)})
    own = {site: copies({site: ports[site]}, service="tmpnb") for site in pair}
    with origins(ports) as processes:
        async with (
            running(of, "north", own["north"], routes=ROUTES) as north,
            running(of, "south", own["south"], routes=ROUTES) as south,
        ):
            for edge in (north, south):
                await edge.until_healthy(2)
                for site in pair:
                    await edge.until_text(site, f"/user/k-{site}", host=HOST)
            yield north, south, processes


async def test_an_edge_at_the_wrong_site_forwards_to_the_right_one_by_path_and_host_and_websocket() -> None:
    async with two_edges() as (north, south, _):
        for edge in (north, south):
            for site in ("north", "south"):
                for host, path in asked(site, "/lab"):
                    assert (await edge.get(path, host=host)).text == site
                for host, path in asked(site, "/echo"):
                    async with socket(edge, host, path) as opened:
                        await opened.send("one")
                        assert await opened.recv() == f"{site}: one"
        # Each knows its own copies alone, so the other's edge handed it over.
        forwarded = await south.get("/headers", host="k-north.try.localhost")
        assert forwarded.json()[HOP_HEADER] == "north"


async def test_when_the_right_site_has_no_copy_the_wrong_one_answers_whichever_edge_is_asked() -> None:
    async with two_edges() as (north, south, processes):
        (host, path), (own_host, own_path) = asked("north", "/lab")
        async with socket(south, host, asked("north", "/echo")[0][1]) as opened:
            processes["north"].kill()
            for edge in (north, south):
                await edge.until_text("south", path, host=host)
                await edge.until_text("south", own_path, host=own_host)
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(opened.recv(), 10)
        marked = await south.get(path, host=host, **{HOP_HEADER: "north"})
        assert (marked.status_code, marked.text) == (200, "south")


async def test_when_the_right_site_is_gone_with_its_edge_the_wrong_one_answers_within_three_seconds() -> None:
    async with two_edges() as (north, south, processes):
        processes["north"].kill()
        north.proxy.kill()
        for host, path in asked("north", "/lab"):
            await south.until_text("south", path, host=host, within=3)
        processes["south"].kill()
        async with asyncio.timeout(10):
            while (last := await south.get("/user/k-north", host=HOST)).status_code != 307:
                await asyncio.sleep(0.1)
        assert last.headers["location"] == "https://mybinder.example/v2/user/k-north"
