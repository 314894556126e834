"""What one network may ask for: its pages in peace, new ones within limits, and nothing at another's cost."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from amalthea.services.nbviewer.crowds import Allowance, Crowds
from amalthea.services.nbviewer.errors import Busy
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.press.turns import Turns
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, nbviewer, notebook
from tests.services.nbviewer.sources.github_server import GitHub


async def test_what_is_new_is_limited_by_network_and_what_is_there_is_not(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    files = github.repositories["ada", "notes"].branches["main"]
    files.update({f"{n}.ipynb": notebook(f"# Page {n}") for n in range(8)})
    settings = {**github.settings(), "rate_limit": 4, "rate_limit_interval": "400 s"}
    crawler, person = {"x-forwarded-for": "203.0.113.5"}, {"x-forwarded-for": "198.51.100.7"}
    paths = [f"/github/ada/notes/blob/main/{n}.ipynb" for n in range(8)]
    async with nbviewer(settings, store=store, clock=clock) as viewer:
        statuses = [(await viewer.get(path, headers=crawler)).status_code for path in paths]
        refused = await viewer.get(paths[7], headers=crawler)
        again = [(await viewer.get(path, headers=crawler)).status_code for path in paths[:3] * 5]
        other = (await viewer.get(paths[7], headers=person)).status_code
        now_there = (await viewer.get(paths[7], headers=crawler)).status_code
        clock.move(int(refused.headers["retry-after"]))
        later = (await viewer.get(paths[6], headers=crawler)).status_code
        assert viewer.count("refused_total", work="fetch") + viewer.count("refused_total", work="render") > 0
    assert statuses[0] == 200
    assert statuses[-1] == refused.status_code == 429
    assert set(again) == {200}
    assert (other, now_there) == (200, 200)
    assert later in (200, 429)  # the fetch is paid for; the rendering may have to wait once more


async def test_flushing_asks_the_source_again_and_is_limited(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    settings = {**github.settings(), "rate_limit": 3}
    page = "/github/ada/notes/blob/main/hello.ipynb"
    visitor = {"x-forwarded-for": "203.0.113.5"}
    async with nbviewer(settings, store=store, clock=clock) as viewer:
        assert "Hello from main" in (await viewer.get(page, headers=visitor)).text
        github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook("# Changed")
        assert "Hello from main" in (await viewer.get(page, headers=visitor)).text
        flushed = await viewer.get(f"{page}?flush_cache=true", headers=visitor)
        assert "Changed" in flushed.text
        assert flushed.headers["cache-control"] == "no-cache"
        statuses = [(await viewer.get(f"{page}?flush_cache=true", headers=visitor)).status_code for _ in range(4)]
    assert statuses[-1] == 429


def test_the_networks_that_are_remembered_are_bounded_and_a_bucket_fills_again() -> None:
    now = 0.0
    crowds = Crowds(Allowance(pages=10, seconds=10), seconds=lambda: now, instruments=Instruments(CollectorRegistry()))
    for number in range(70_000):
        crowds._filled(str(number))
    assert len(crowds._buckets) <= 65_536


async def test_the_lines_of_the_queue_take_turns() -> None:
    turns = Turns(places=1, waiting=8, patience=5)
    served: list[str] = []

    async def visit(who: str) -> None:
        async with turns.turn(who):
            served.append(who)
            await asyncio.sleep(0)

    async with turns.turn("first"):
        visits = [asyncio.create_task(visit(who)) for who in ("crawler", "crawler", "crawler", "ada", "grace")]
        await asyncio.sleep(0)
    await asyncio.gather(*visits)
    assert served == ["crawler", "ada", "grace", "crawler", "crawler"]


async def test_a_full_queue_makes_room_for_a_quiet_network() -> None:
    turns = Turns(places=1, waiting=3, patience=5)
    served: list[str] = []

    async def visit(who: str) -> None:
        async with turns.turn(who):
            served.append(who)

    async with turns.turn("first"):
        visits = [asyncio.create_task(visit(who)) for who in ("crawler", "crawler", "crawler", "ada")]
        await asyncio.sleep(0.01)
        with pytest.raises(Busy):
            await visit("crawler")
    results = await asyncio.gather(*visits, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), Busy, type(None)]
    assert served == ["crawler", "ada", "crawler"]


async def test_whoever_waits_too_long_or_leaves_frees_his_place() -> None:
    turns = Turns(places=1, waiting=2, patience=0.05)
    async with turns.turn("first"):
        leaving = asyncio.create_task(turns.turn("ada").__aenter__())
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert turns.waiting == 0
        with pytest.raises(Busy):
            await turns.turn("grace").__aenter__()
        assert turns.waiting == 0
    async with turns.turn("grace"):
        assert turns.full
    assert not turns.full


async def test_notebooks_that_are_too_hard_cost_their_network_more(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    files = github.repositories["ada", "notes"].branches["main"]
    files.update({f"hard{number}.ipynb": notebook(f"# {number}") for number in range(4)})
    settings = {**github.settings(), "rate_limit": 12, "render_timeout": "1 ms"}
    crawler, person = ({"x-forwarded-for": address} for address in ("203.0.113.5", "198.51.100.7"))
    async with nbviewer(settings, store=store, clock=clock) as viewer:
        paths = [f"/github/ada/notes/blob/main/hard{number}.ipynb" for number in range(4)]
        told = [(await viewer.get(path, headers=crawler)).status_code for path in paths]
        assert told == [413, 413, 429, 429]
        assert (await viewer.get(paths[3], headers=person)).status_code == 413
