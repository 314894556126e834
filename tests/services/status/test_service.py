from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest

from amalthea.model.clock import system_clock
from amalthea.model.errors import PortInUse
from amalthea.model.fleet import Names, Site
from amalthea.model.probe import Probe, Watch
from amalthea.model.service import Listen, Runtime
from amalthea.model.units import Duration
from amalthea.model.wire import decode
from amalthea.probes.http import ready
from amalthea.services.status import Settings, Status
from amalthea.services.status.history import Batch
from tests.machine import free_port
from tests.probes.wire_server import Answer, serving, whole
from tests.services.status.scenes import TroubledStore

QUICK = Settings(interval=Duration(0.4), recheck=Duration(0.05), stale_after=Duration(1.5))
UP = whole(b"welcome")


def watched(service: str, site: str, port: int) -> Watch:
    probe = Probe(name="front page", contains="welcome", timeout=Duration(0.3))
    return Watch(service=service, site=site, probe=probe, url=f"http://127.0.0.1:{port}/")


class Running:
    """One status service as its process runs it."""

    def __init__(self, site: str, store: TroubledStore, watches: list[Watch]) -> None:
        self.listen = Listen(http=free_port(), admin=free_port())
        self.site = Site(name=site, fleet="jupyter", names=Names(domain="localhost"))
        self.runtime = Runtime(listen=self.listen, store=store, clock=system_clock, watches=watches)
        self.client = httpx2.AsyncClient(verify=False, base_url=f"http://127.0.0.1:{self.listen.http}")

    async def serve(self) -> None:
        await Status().serve(QUICK, self.site, self.runtime)

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(path)

    async def board(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.get("/api/board.json")).json()
        return told

    async def until(self, condition: Callable[[dict[str, Any]], bool], *, seconds: float = 5) -> dict[str, Any]:
        """Wait until the board is as it should be, and give it."""
        started = time.monotonic()
        while not condition(told := await self.board()):
            assert time.monotonic() - started < seconds, told
            await asyncio.sleep(0.05)
        return told


@asynccontextmanager
async def running(site: str, store: TroubledStore, watches: list[Watch]) -> AsyncIterator[Running]:
    made = Running(site, store, watches)
    task = asyncio.create_task(made.serve())
    try:
        while await ready(address="127.0.0.1", port=made.listen.admin):
            assert not task.done(), task.exception()
            await asyncio.sleep(0.01)
        yield made
    finally:
        await made.client.aclose()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def states(told: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(row["service"], cell["site"]): cell["state"] for row in told["services"] for cell in row["sites"]}


def seen_from(told: dict[str, Any], vantage: str) -> set[str]:
    cells = [cell for row in told["services"] for cell in row["sites"]]
    return {seen["state"] for cell in cells for seen in cell["seen"] if seen["from"] == vantage}


async def test_two_sites_show_each_other_what_they_see_and_what_dies() -> None:
    store = TroubledStore(system_clock)
    async with AsyncExitStack() as stack:
        north_port = await stack.enter_async_context(serving(UP))
        dying = AsyncExitStack()
        south_port = await dying.enter_async_context(serving(UP))
        watches = [watched("status", "north", north_port), watched("status", "south", south_port)]
        north = await stack.enter_async_context(running("north", store, watches))
        south = await stack.enter_async_context(running("south", store, watches))

        told = await south.until(lambda told: seen_from(told, "north") == seen_from(told, "south") == {"up"})
        assert told["text"] == "All services work"
        await dying.aclose()
        for page in (north, south):
            told = await page.until(lambda told: states(told)["status", "south"] == "down")
            assert told["text"] == "status works at 1 of 2 sites"
        assert "Down since" in (await north.get("/")).text

    batches = [decode(await store.get(key), Batch) for key in await store.keys("status/observed/north/")]
    assert batches
    assert any(failure.detail == "refused the connection" for b in batches for t in b.tallies for failure in t.failures)


async def test_a_vantage_that_falls_silent_is_no_longer_believed() -> None:
    store = TroubledStore(system_clock)
    async with serving(UP) as port:
        watches = [watched("status", "north", port), watched("status", "south", port)]
        async with running("south", store, watches) as south:
            async with running("north", store, watches):
                await south.until(lambda told: seen_from(told, "north") == {"up"})
            told = await south.until(lambda told: seen_from(told, "north") == {"unknown"})
            assert told["text"] == "All services work"
            assert "last looked" in (await south.get("/")).text


@pytest.mark.parametrize("trouble", ["broken", "hanging"])
async def test_a_store_in_trouble_never_costs_the_page(trouble: Any) -> None:
    store = TroubledStore(system_clock)
    store.trouble = trouble
    async with serving(UP) as port, running("south", store, [watched("nbviewer", "south", port)]) as south:
        await south.until(lambda told: told["text"] == "All services work")
        told = await south.until(lambda told: bool(told["notes"]) or trouble == "hanging")
        assert told["text"] == "All services work"
        assert (await south.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (whole(b"welcome", status="503 Service Unavailable"), "answered 503 instead of 200"),
        (whole(b"something else"), "the page does not hold what it should"),
        (whole(b"welcome", headers="x-amalthea-site: north\r\n"), "answered by north"),
    ],
)
async def test_the_page_says_what_is_wrong(answer: Answer, detail: str) -> None:
    async with (
        serving(answer) as port,
        running("south", TroubledStore(system_clock), [watched("nbviewer", "south", port)]) as south,
    ):
        await south.until(lambda told: told["text"] == "nbviewer is down")
        page = (await south.get("/")).text
    assert "nbviewer is down" in page
    assert detail in page


async def test_the_page_is_there_before_anything_has_answered() -> None:
    async def slow(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.25)
        await UP(request, writer)

    async with (
        serving(slow) as port,
        running("south", TroubledStore(system_clock), [watched("nbviewer", "south", port)]) as south,
    ):
        page = await south.get("/")
        assert page.status_code == 200
        assert "Looking for the first time" in page.text
        await south.until(lambda told: told["text"] == "All services work")


async def test_a_port_in_use_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = Listen(http=taken.getsockname()[1], admin=free_port())
        runtime = Runtime(listen=listen, store=TroubledStore(), clock=system_clock)
        site = Site(name="south", fleet="jupyter", names=Names(domain="localhost"))
        with pytest.raises(PortInUse):
            await Status().serve(QUICK, site, runtime)


async def test_what_was_asked_and_answered_can_be_measured() -> None:
    async with (
        serving(UP) as port,
        running("south", TroubledStore(system_clock), [watched("nbviewer", "south", port)]) as south,
    ):
        await south.until(lambda told: told["text"] == "All services work")
        async with httpx2.AsyncClient(verify=False) as client:
            metrics = (await client.get(f"http://127.0.0.1:{south.listen.admin}/-/metrics")).text
    assert 'amalthea_status_answers_total{ok="true",service="nbviewer",site="south"}' in metrics
    assert "amalthea_status_store_failures_total 0.0" in metrics


async def test_answers_on_a_kept_connection_come_at_once() -> None:
    async with running("south", TroubledStore(system_clock), []) as south:
        await south.get("/")
        started = time.monotonic()
        for _ in range(20):
            await south.get("/robots.txt")
    assert (time.monotonic() - started) / 20 < 0.03, "each answer waits for the one before to be acknowledged"
