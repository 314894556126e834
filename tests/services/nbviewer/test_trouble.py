"""What visitors see while GitHub or the store is in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from amalthea.model.errors import StoreUnavailable
from amalthea.model.store import ObjectInfo
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.github_server import GitHub

HELLO = "/github/ada/notes/blob/main/hello.ipynb"
TREE = "/github/ada/notes/tree/main/"


class BrokenStore:
    """A store whose disk is full and gives nothing back; or, when it `hangs`, one that never answers."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        raise await self._failure()

    async def get(self, key: str) -> bytes:
        raise await self._failure()

    async def delete(self, key: str) -> None:
        raise await self._failure()

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        raise await self._failure()
        yield

    async def aclose(self) -> None: ...

    async def _failure(self) -> StoreUnavailable:
        if self.hangs:
            await asyncio.sleep(60)
        return StoreUnavailable("no space left on the device")


async def test_a_rate_limit_shows_the_older_listing_with_a_note(viewer: Nbviewer, github: GitHub, clock: Hand) -> None:
    await viewer.get(TREE)
    github.left = 0
    clock.move(120)
    answer = await viewer.get(TREE)
    assert answer.status_code == 200
    assert "An older copy" in answer.text
    assert "hello.ipynb" in answer.text
    assert viewer.count("stale_total") > 0


async def test_a_rate_limit_without_a_copy_says_when_to_come_back(
    viewer: Nbviewer, github: GitHub, clock: Hand
) -> None:
    github.left = 0
    github.reset = int(clock().timestamp()) + 1800
    answer = await viewer.get(TREE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1800"
    assert "09:30 UTC" in answer.text


async def test_a_limited_api_is_not_asked_again_before_its_time(viewer: Nbviewer, github: GitHub, clock: Hand) -> None:
    github.left = 0
    github.reset = int(clock().timestamp()) + 1800
    await viewer.get(TREE)
    asked = sum(github.asked.values())
    await viewer.get("/github/ada/")
    assert sum(github.asked.values()) == asked
    github.left = 10
    clock.move(1801)
    assert (await viewer.get(TREE)).status_code == 200


async def test_a_limited_api_does_not_keep_a_notebook_from_being_shown(viewer: Nbviewer, github: GitHub) -> None:
    github.left = 0
    assert (await viewer.get(HELLO)).status_code == 200
    redirect = await viewer.get("/github/ada/notes/")
    assert redirect.headers["location"] == "/github/ada/notes/tree/HEAD/"


async def test_a_source_that_is_down_costs_a_page_seen_before_nothing(
    viewer: Nbviewer, github: GitHub, clock: Hand
) -> None:
    await viewer.get(HELLO)
    github.trouble = "down"
    clock.move(3600)
    answer = await viewer.get(HELLO)
    assert answer.status_code == 200
    assert "Hello from main" in answer.text
    assert "An older copy" in answer.text
    assert "2026-03-01 09:00 UTC" in answer.text


async def test_a_source_that_is_down_is_a_502_page_where_there_is_no_copy(viewer: Nbviewer, github: GitHub) -> None:
    github.trouble = "down"
    answer = await viewer.get(HELLO)
    assert answer.status_code == 502
    assert "HTTP 503" in answer.text


async def test_a_source_that_hangs_is_a_504_page(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({**github.settings(), "fetch_timeout": "300 ms"}, store=store, clock=clock) as viewer:
        github.trouble = "slow"
        assert (await viewer.get(HELLO)).status_code == 504


async def test_nobody_waits_for_a_source_that_hangs_where_there_is_a_copy(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer({**github.settings(), "patience": "100 ms"}, store=store, clock=clock) as viewer:
        await viewer.get(HELLO)
        github.trouble = "slow"
        clock.move(120)
        async with asyncio.timeout(2):
            answer = await viewer.get(HELLO)
        assert "An older copy" in answer.text


async def test_another_site_shows_its_neighbours_copy_while_github_is_down(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock, site="north") as north:
        await north.get(HELLO)
        await north.cache.settle()
    github.trouble = "down"
    clock.move(3600)
    async with nbviewer(github.settings(), store=store, clock=clock, site="south") as south:
        answer = await south.get(HELLO)
    assert answer.status_code == 200
    assert "Hello from main" in answer.text
    assert "An older copy" in answer.text


async def test_another_sites_copy_saves_the_body(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock, site="north") as north:
        await north.get(HELLO)
        await north.cache.settle()
    clock.move(3600)
    async with nbviewer(github.settings(), store=store, clock=clock, site="south") as south:
        assert "Hello from main" in (await south.get(HELLO)).text
    assert github.bodies["/raw/ada/notes/main/hello.ipynb"] == 1


async def test_a_site_writes_under_its_own_name_alone(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    for site in ("north", "south"):
        async with nbviewer(github.settings(), store=store, clock=clock, site=site) as viewer:
            await viewer.get(HELLO)
            await viewer.cache.settle()
        clock.move(3600)
    keys = [found.key async for found in store.list("nbviewer/")]
    assert sorted(key.split("/")[2] for key in keys if "/seen/" in key) == ["north", "south"]
    assert len([key for key in keys if "/blob/" in key]) == 1


async def test_what_its_source_withdraws_is_not_shown_again_while_the_source_is_down(
    viewer: Nbviewer, github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    await viewer.get(HELLO)
    await viewer.cache.settle()
    del github.repositories["ada", "notes"].branches["main"]["hello.ipynb"]
    clock.move(120)
    assert (await viewer.get(HELLO)).status_code == 404
    await viewer.cache.settle()
    github.trouble = "down"
    clock.move(120)
    assert (await viewer.get(HELLO)).status_code == 502
    async with nbviewer(github.settings(), store=store, clock=clock) as restarted:
        assert (await restarted.get(HELLO)).status_code == 502


async def test_a_full_store_costs_no_visitor_his_page(github: GitHub, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=BrokenStore(), clock=clock) as viewer:
        assert "Hello from main" in (await viewer.get(HELLO)).text
        await viewer.cache.settle()
        clock.move(120)
        assert "Hello from main" in (await viewer.get(HELLO)).text
        assert (await viewer.get(TREE)).status_code == 200
        assert viewer.count("store_failures_total", operation="write") > 0
        assert viewer.count("store_failures_total", operation="read") > 0


async def test_a_store_that_hangs_costs_a_visitor_little_time_and_no_page(github: GitHub, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=BrokenStore(hangs=True), clock=clock) as viewer:
        async with asyncio.timeout(4):
            assert "Hello from main" in (await viewer.get(HELLO)).text
        async with asyncio.timeout(0.5):
            assert "Hello from main" in (await viewer.get(HELLO)).text


async def test_a_store_that_lost_a_body_costs_a_second_fetch(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await viewer.get(HELLO)
        await viewer.cache.settle()
        await viewer.press.settle()
    for prefix in ("nbviewer/blob/", "nbviewer/page/", "nbviewer/body/"):
        for key in [found.key async for found in store.list(prefix)]:
            await store.delete(key)
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        assert "Hello from main" in (await viewer.get(HELLO)).text


async def test_a_notebook_that_changed_while_its_copy_was_lost_is_shown_as_it_is_now(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await viewer.get(HELLO)
        await viewer.cache.settle()
        await viewer.press.settle()
    for prefix in ("nbviewer/blob/", "nbviewer/page/", "nbviewer/body/"):
        for key in [found.key async for found in store.list(prefix)]:
            await store.delete(key)
    github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook("# Changed")
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        assert "Changed" in (await viewer.get(HELLO)).text


async def test_many_visitors_of_one_page_cost_one_fetch_and_one_rendering(viewer: Nbviewer, github: GitHub) -> None:
    answers = await asyncio.gather(*(viewer.get(HELLO) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(github.asked.values()) == 1
    assert viewer.count("pages_total", origin="rendered") == 1


async def test_more_notebooks_than_there_is_room_for_are_asked_to_come_back(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    files = github.repositories["ada", "notes"].branches["main"]
    files.update({f"{n}.ipynb": notebook(f"# Number {n}") for n in range(8)})
    settings = {**github.settings(), "renders": 1, "render_queue": 0}
    async with nbviewer(settings, store=store, clock=clock) as viewer:
        paths = [f"/github/ada/notes/blob/main/{n}.ipynb" for n in range(8)]
        answers = await asyncio.gather(*(viewer.get(path) for path in paths))
    statuses = {answer.status_code for answer in answers}
    assert 200 in statuses
    assert statuses <= {200, 503}
    assert all(answer.headers["retry-after"] == "5" for answer in answers if answer.status_code == 503)
