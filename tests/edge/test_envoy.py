"""A real Envoy does what the table says: routing, failover, fallbacks, changes without a restart."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
import websockets

from amalthea.edge.errors import TableRefused
from amalthea.edge.table import Traffic, table
from amalthea.model.edge import HOP_HEADER, SITE_HEADER
from amalthea.model.fleet import EdgeDeclaration
from amalthea.model.route import Route
from tests.edge.running import SITES, RunningEdge, copies, fleet, origins, running
from tests.machine import free_ports

pytestmark = pytest.mark.system


@pytest.fixture
async def ports() -> dict[str, int]:
    return dict(zip(SITES, free_ports(2), strict=True))


@pytest.fixture
async def edge(ports: dict[str, int]) -> AsyncIterator[RunningEdge]:
    (listen,) = free_ports(1)
    with origins(ports):
        async with running(fleet(listen), "here", copies(ports)) as started:
            await started.until_healthy(2)
            yield started


async def test_a_visitor_gets_the_home_site_a_request_id_and_no_trace_of_the_proxy(edge: RunningEdge) -> None:
    answer = await edge.get("/page")
    assert (answer.status_code, answer.text) == (200, "north")
    assert answer.headers["x-request-id"]
    assert not [name for name in answer.headers if name.startswith("x-envoy")]


async def test_a_request_that_names_a_site_gets_that_site(edge: RunningEdge) -> None:
    assert (await edge.get("/page", **{SITE_HEADER: "south"})).text == "south"


async def test_a_forwarded_request_is_marked_and_a_marked_one_is_not_forwarded(edge: RunningEdge) -> None:
    seen = (await edge.get("/headers")).json()
    assert seen[HOP_HEADER] == "here"
    assert SITE_HEADER not in seen
    assert (await edge.get("/page", **{HOP_HEADER: "elsewhere"})).status_code == 508


async def test_the_fleets_own_name_lists_the_services_and_an_unknown_name_does_not_exist(edge: RunningEdge) -> None:
    listing = await edge.get("/", host="localhost")
    assert "Shows notebooks." in listing.text
    assert (await edge.client.get("/")).text == listing.text
    assert (await edge.get("/", host="other.localhost")).status_code == 404
    assert (await edge.get("/nowhere", host="localhost")).status_code == 404


async def test_a_service_that_no_site_has_redirects_to_its_fallback_with_path_and_query(edge: RunningEdge) -> None:
    answer = await edge.get("/gh/a/b?x=1", host="try.localhost")
    assert answer.status_code == 307
    assert answer.headers["location"] == "https://mybinder.example/v2/gh/a/b?x=1"


async def test_a_service_without_a_fallback_shows_a_short_page(edge: RunningEdge) -> None:
    await edge.edge.route([])
    answer = await edge.get("/page")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "nbviewer is not available just now" in answer.text


async def test_slow_pages_do_not_take_a_healthy_site_away(edge: RunningEdge) -> None:
    slow = await asyncio.gather(*(edge.get("/slow") for _ in range(30)))
    assert {answer.status_code for answer in slow} == {200}
    assert all((await edge.edge.healthy()).values())
    assert (await edge.get("/page")).text == "north"


async def test_pages_that_fail_do_not_take_a_healthy_site_away(edge: RunningEdge) -> None:
    for status in (500, 502, 503):
        for _ in range(10):
            assert (await edge.get(f"/status/{status}")).status_code == status
    assert all((await edge.edge.healthy()).values())


async def test_a_post_that_was_delivered_is_never_sent_twice(edge: RunningEdge) -> None:
    await edge.client.post("/slow", headers={"host": "nbviewer.localhost"})
    hits = [(await edge.get("/hits", **{SITE_HEADER: site})).json().get("POST /slow", 0) for site in SITES]
    assert hits == [1, 0]


async def test_a_websocket_passes_and_outlives_a_change_of_the_table(edge: RunningEdge, ports: dict[str, int]) -> None:
    port = int(edge.edge.address.rpartition(":")[2])
    async with websockets.connect(f"ws://nbviewer.localhost:{port}/echo", host="127.0.0.1", port=port) as socket:
        await socket.send("one")
        assert await socket.recv() == "north: one"
        await edge.edge.route(copies({"north": ports["north"]}))
        await socket.send("two")
        assert await socket.recv() == "north: two"


async def test_a_change_of_the_table_drops_no_request(edge: RunningEdge, ports: dict[str, int]) -> None:
    async def ask() -> list[int]:
        return [(await edge.get("/page")).status_code for _ in range(100)]

    asking = asyncio.create_task(ask())
    for number in range(20):
        await edge.edge.route(copies({site: ports[site] for site in (SITES if number % 2 else SITES[:1])}))
    assert set(await asking) == {200}


async def test_when_all_copies_are_exchanged_for_new_ones_no_request_fails() -> None:
    old, new = (dict(zip(SITES, free_ports(2), strict=True)) for _ in range(2))
    (listen,) = free_ports(1)
    with origins(old), origins(new):
        async with running(fleet(listen), "here", copies(old)) as edge:
            await edge.until_healthy(2)
            statuses: list[int] = []

            async def ask() -> None:
                while True:
                    statuses.append((await edge.get("/page")).status_code)

            asking = [asyncio.create_task(ask()) for _ in range(4)]
            for number in range(10):
                await edge.edge.route(copies(old if number % 2 else new))
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            assert len(statuses) > 50
            assert set(statuses) == {200}
            assert set(await edge.edge.healthy()) == set(copies(old))


async def test_a_table_that_envoy_refuses_leaves_the_old_one_in_force(edge: RunningEdge) -> None:
    broken = [*copies({"north": 1})]
    broken[0] = type(broken[0])(service="nbviewer", site="north", address="127.0.0.1", port=99999, ready_port=1)
    with pytest.raises(TableRefused, match=r"cluster\.nbviewer"):
        await edge.edge.route(broken)
    assert (await edge.get("/page")).text == "north"


async def test_the_same_table_twice_writes_nothing(edge: RunningEdge, ports: dict[str, int]) -> None:
    def stamps() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in edge.log.parent.rglob("*.json")}

    before = stamps()
    await edge.edge.route(copies(ports))
    assert stamps() == before


async def test_the_access_log_is_json_with_what_an_operator_asks_for(edge: RunningEdge) -> None:
    answer = await edge.get("/page")
    async with asyncio.timeout(15):
        while '"/page"' not in (text := edge.log.read_text()):
            await asyncio.sleep(0.1)
    (line,) = [json.loads(line) for line in text.splitlines() if '"/page"' in line]
    assert line["status"] == 200
    assert line["request_id"] == answer.headers["x-request-id"]


async def test_headers_that_smuggle_underscores_are_dropped_and_dot_segments_are_resolved(edge: RunningEdge) -> None:
    assert (
        "x_amalthea_hop"
        not in (await edge.client.get("/headers", headers={"host": "nbviewer.localhost", "x_amalthea_hop": "1"})).json()
    )
    answer = await edge.client.get("/a/%2e%2e/headers", headers={"host": "nbviewer.localhost"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_loss_of_the_home_site_costs_no_visitor_an_error(how: signal.Signals) -> None:
    ports, (listen,) = dict(zip(SITES, free_ports(2), strict=True)), free_ports(1)
    with origins(ports) as sites:
        async with running(fleet(listen), "here", copies(ports)) as edge:
            await edge.until_healthy(2)
            slowest = 0.0
            for number in range(60):
                if number == 10:
                    os.kill(sites["north"].pid, how)
                began = time.perf_counter()
                answer = await edge.get("/page")
                slowest = max(slowest, time.perf_counter() - began)
                assert answer.status_code == 200
                await asyncio.sleep(0.02)
            assert answer.text == "south"
            assert slowest < 0.5


async def test_a_dead_copy_that_looks_idle_costs_no_visitor_an_error_while_the_others_are_busy() -> None:
    """Until its next check a dead copy is the least busy one, and each retry would choose it again."""
    ports, (listen,) = dict(zip(SITES, free_ports(2), strict=True)), free_ports(1)
    of = fleet(listen, edge=EdgeDeclaration(on="here", listen=f"127.0.0.1:{listen}"))
    with origins(ports) as sites:
        async with running(of, "here", copies(ports)) as edge:
            await edge.until_healthy(2)
            sites["north"].kill()
            answers = await asyncio.gather(*(edge.get("/-/readyz") for _ in range(400)))
            assert {(answer.status_code, answer.text) for answer in answers} == {(200, "south")}


async def test_the_longest_prefix_wins_in_envoy_as_in_the_table() -> None:
    ports, (listen,) = dict(zip(SITES, free_ports(2), strict=True)), free_ports(1)
    of = fleet(listen, edge=EdgeDeclaration(on="here", listen=f"127.0.0.1:{listen}"))
    where = [*copies({"north": ports["north"]}), *copies({"south": ports["south"]}, service="tmpnb")]
    routes = [
        Route(service=service, host="x", prefix=prefix)
        for prefix, service in {"/": "nbviewer", "/a": "tmpnb", "/a/b": "nbviewer", "/a/b/c/": "tmpnb"}.items()
    ]
    with origins(ports):
        async with running(of, "here", where, routes=routes) as edge:
            await edge.until_healthy(2)
            for path in ("/", "/a", "/ab", "/a/", "/a/b", "/a/bc", "/a/b/c", "/a/b/c/d", "/a?b", "/A", "/a%2Fb"):
                row = table(of, "here", routes=routes, endpoints=where).match(
                    "x.localhost", path.partition("?")[0], Traffic.IDEMPOTENT
                )
                assert row is not None
                expected = {"nbviewer": "north", "tmpnb": "south"}[row.cluster]
                assert (await edge.get(path, host="x.localhost")).text == expected, path


async def test_edges_at_two_sites_stand_in_for_each_other_and_never_forward_twice() -> None:
    ports, listens = dict(zip(SITES, free_ports(2), strict=True)), free_ports(2)
    of = fleet(0, edge=EdgeDeclaration(), providers={s: f"127.0.0.1:{p}" for s, p in zip(SITES, listens, strict=True)})
    with origins(ports) as sites:
        async with (
            running(of, "north", copies({"north": ports["north"]})) as north,
            running(of, "south", copies({"south": ports["south"]})) as south,
        ):
            await north.until_healthy(2)
            await south.until_healthy(2)
            assert (await north.get("/page")).text == "north"
            assert (await north.get("/page", **{SITE_HEADER: "south"})).text == "south"
            sites["north"].kill()
            answers = [await north.get("/page") for _ in range(50)]
            assert {(a.status_code, a.text) for a in answers} == {(200, "south")}
            sites["south"].kill()
            async with asyncio.timeout(10):
                while (last := await north.get("/page")).status_code == 200:
                    await asyncio.sleep(0.1)
            assert last.status_code in {503, 508}


async def test_the_edge_goes_on_when_everything_else_is_gone(edge: RunningEdge) -> None:
    """Nothing of ours runs beside it here but the origins: no control plane, no watcher."""
    for file in edge.log.parent.rglob("*.json"):
        file.unlink()
    assert (await edge.get("/page")).text == "north"


async def test_a_request_without_a_name_or_with_nonsense_is_answered_and_not_forwarded(edge: RunningEdge) -> None:
    for host in ("", "evil.example", "nbviewer.localhost.evil.example", "x" * 300):
        async with httpx2.AsyncClient(verify=False, trust_env=False) as client:
            answer = await client.get(f"http://{edge.edge.address}/page", headers={"host": host})
        assert answer.status_code in {400, 404}


async def test_a_copy_has_visitors_as_soon_as_the_table_is_in_force(edge: RunningEdge, ports: dict[str, int]) -> None:
    for _ in range(3):
        await edge.edge.route([])
        assert (await edge.get("/page")).status_code == 503
        await edge.edge.route(copies(ports))
        assert (await edge.get("/page")).status_code == 200
