"""Sessions that are ready before anybody asks for them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.plain_spawner import PlainSpawner
from tests.services.tmpnb.site import HTML, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

TWO: dict[str, Any] = {
    "environments": [{"name": "python"}, {"name": "julia"}],
    "offers": [{"title": "Python"}, {"title": "Julia", "environment": "julia"}],
}
PYTHON, JULIA = {"offer": "0"}, {"offer": "1"}


def environments(site: Site) -> list[str]:
    return sorted(session.order.environment for session in site.spawner.sessions.values())


def all_rests(site: Site, *, ready: int) -> bool:
    return site.pool.idle == ready and not site.spawner.starting


async def test_the_pool_is_filled_at_once_and_again_when_one_is_taken(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2) as site:
        await eventually(lambda: len(site.spawner.sessions) == 2)
        ready = set(site.spawner.sessions)
        session = await site.start()
        assert session.name in ready
        await eventually(lambda: len(site.spawner.sessions) == 3)
        await eventually(lambda: all_rests(site, ready=2))
        assert site.count("starts_total", how="pool") == 1


async def test_a_session_of_the_pool_has_a_token_of_its_own_and_was_nobodys(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2) as site:
        await eventually(lambda: len(site.spawner.sessions) == 2)
        one, other = [session.order.token for session in site.spawner.sessions.values()]
        assert one != other
        assert len(one) >= 32
        for name in site.spawner.sessions:
            assert (await site.get(f"/user/{name}/lab")).status_code == 503
            assert (await site.get(f"/user/{name}/lab", headers=HTML)).status_code == 404
            assert (await site.get(f"/user/{name}/-/time")).status_code == 404


async def test_one_that_died_is_replaced_before_anybody_gets_it(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=1) as site:
        await eventually(lambda: len(site.spawner.sessions) == 1)
        (dead,) = site.spawner.sessions
        await site.spawner.end(dead, "it died")
        session = await site.start()
        assert session.name != dead
        assert (await site.get(session.url)).status_code == 200


async def test_one_that_hangs_or_answers_nonsense_is_replaced_too(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2) as site:
        await eventually(lambda: len(site.spawner.sessions) == 2)
        one, other = site.spawner.sessions.values()
        one.server.answers["api"] = lambda line: asyncio.sleep(60)
        other.server.answers["api"] = lambda line: line.answer(500)
        await site.click()
        await eventually(lambda: len(list(site.sessions)) == 1)
        (session,) = site.sessions
        assert session.name not in {one.order.name, other.order.name}


async def test_one_environment_makes_room_for_another(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2, capacity=3, **TWO) as site:
        await eventually(lambda: len(site.spawner.sessions) == 3 and all_rests(site, ready=3))
        for _ in range(3):
            await site.start(site.browser(), data=JULIA)
        assert environments(site) == ["julia"] * 3
        assert site.spawner.most <= 3


async def test_there_are_never_more_sessions_than_there_is_room_for_whoever_comes_first(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2, capacity=4, **TWO) as site:
        await eventually(lambda: all_rests(site, ready=4))
        clicks = [site.click(site.browser(), data=JULIA) for _ in range(4)]
        answers = await asyncio.gather(*clicks)
        await eventually(lambda: len(list(site.sessions)) == 4)
        assert environments(site) == ["julia"] * 4
        assert all(answer.status_code == 303 for answer in answers)
        assert site.spawner.most <= 4


async def test_one_that_leaves_still_has_its_place_until_it_has_gone(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=1, capacity=1, **TWO) as site:
        await eventually(lambda: all_rests(site, ready=1))
        assert environments(site) == ["python"]
        site.spawner.exits.clear()
        answer = await site.click(data=JULIA)
        await asyncio.sleep(0.05)
        assert environments(site) == ["python"]
        site.spawner.exits.set()
        await eventually(lambda: environments(site) == ["julia"])
        await eventually(lambda: len(list(site.sessions)) == 1)
        assert (await site.get(answer.headers["location"])).status_code in (200, 303)
        assert site.spawner.most == 1


async def test_a_visitor_who_waits_comes_before_the_pool(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=1, capacity=2, **TWO) as site:
        await eventually(lambda: all_rests(site, ready=2))
        sessions = [await site.start(site.browser(), data=PYTHON) for _ in range(2)]
        waiting = await site.click(site.browser(), data=JULIA)
        assert waiting.headers["location"].startswith("/wait/")
        started = site.spawner.started
        await site.sessions.end(sessions[0].name, "", reason="operator")
        await eventually(lambda: environments(site) == ["julia", "python"] and len(list(site.sessions)) == 2)
        assert site.spawner.started == started + 1


async def test_an_environment_that_does_not_start_leaves_the_others_their_pool(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    def broken(spawner: PlainSpawner) -> None:
        spawner.broken.add("python")

    async with tmpnb(place, store=store, clock=clock, pool=1, before=broken, **TWO) as site:
        await eventually(lambda: environments(site) == ["julia"])


async def test_what_nobody_thought_of_does_not_end_the_pool(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    def strange(spawner: PlainSpawner) -> None:
        spawner.strange = True

    async with tmpnb(place, store=store, clock=clock, pool=1, before=strange) as site:
        await eventually(lambda: site.spawner.attempts > 0)
        site.spawner.strange = False
        await eventually(lambda: len(site.spawner.sessions) == 1)


async def test_draining_ends_those_that_are_ready_and_no_others_and_new_ones_follow(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2, capacity=3) as site:
        session = await site.start()
        await eventually(lambda: all_rests(site, ready=2))
        old = set(site.spawner.sessions)
        answer = await site.admin.delete("/-/pool")
        assert answer.json() == {"drained": 2}
        await eventually(lambda: len(site.spawner.sessions) == 3)
        assert old & set(site.spawner.sessions) == {session.name}
        assert site.spawner.most <= 3


async def test_closing_ends_the_ready_ones_too(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=3) as site:
        await eventually(lambda: all_rests(site, ready=3))
        spawner = site.spawner
    assert not await spawner.running()
