from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from amalthea.model.clock import system_clock
from amalthea.model.probe import Observation, Watch
from amalthea.model.units import Duration
from amalthea.services.status.lookout import AT_ONCE, Lookout, next_slot
from amalthea.services.status.settings import Settings
from amalthea.services.status.track import State
from tests.services.status.scenes import watch

Ask = Callable[[Watch], Awaitable[Observation]]


@asynccontextmanager
async def looking(watches: list[Watch], ask: Ask, settings: Settings) -> AsyncIterator[Lookout]:
    lookout = Lookout(watches, ask, site="south", settings=settings, clock=system_clock, registry=CollectorRegistry())
    task = asyncio.create_task(lookout.run())
    try:
        yield lookout
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Witnessed:
    """A service that is up or down as told, and remembers when it was asked."""

    def __init__(self, *, up: bool = True, seconds: float = 0.0) -> None:
        self.up = up
        self.seconds = seconds
        self.asked: list[float] = []
        self.under_way = self.most_under_way = 0

    async def ask(self, watched: Watch) -> Observation:
        self.asked.append(time.monotonic())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.seconds)
        self.under_way -= 1
        return Observation(ok=self.up, at=system_clock(), seconds=self.seconds, detail="" if self.up else "down")


async def until(condition: Callable[[], bool], *, seconds: float = 3) -> float:
    """Wait until the condition holds; the seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "waited in vain"
        await asyncio.sleep(0.005)
    return time.monotonic() - started


async def test_everything_is_asked_at_once_at_the_start() -> None:
    service = Witnessed()
    async with looking([watch(f"s{i}") for i in range(20)], service.ask, Settings(interval=Duration(60))) as lookout:
        assert all(track.state is State.CHECKING for track in lookout.report().tracks)
        assert await until(lambda: len(service.asked) == 20) < 0.5
        await until(lambda: all(track.state is State.UP for track in lookout.report().tracks))
        assert lookout.news.is_set()


async def test_a_failure_is_checked_again_at_once_and_not_after_an_interval() -> None:
    service = Witnessed(up=False)
    settings = Settings(interval=Duration(60), recheck=Duration(0.05), down_after=3)
    async with looking([watch()], service.ask, settings) as lookout:
        took = await until(lambda: lookout.report().tracks[0].state is State.DOWN)
        await asyncio.sleep(0.2)
    assert 0.09 < took < 1
    assert len(service.asked) == 3


async def test_a_service_that_dies_is_seen_down_and_one_that_returns_up() -> None:
    service = Witnessed()
    settings = Settings(interval=Duration(0.2), recheck=Duration(0.02))
    async with looking([watch()], service.ask, settings) as lookout:
        await until(lambda: lookout.report().tracks[0].state is State.UP)
        lookout.news.clear()
        service.up = False
        assert await until(lambda: lookout.report().tracks[0].state is State.DOWN) < 0.5
        assert lookout.news.is_set()
        service.up = True
        assert await until(lambda: lookout.report().tracks[0].state is State.UP) < 0.5


async def test_a_site_that_dies_whole_is_seen_at_once() -> None:
    dying, living = Witnessed(), Witnessed()
    watches = [watch(f"s{i}", site) for site in ("north", "south") for i in range(10)]
    settings = Settings(interval=Duration(2), recheck=Duration(0.05))

    async def ask(watched: Watch) -> Observation:
        return await (dying if watched.site == "north" else living).ask(watched)

    async with looking(watches, ask, settings) as lookout:

        def down() -> int:
            return sum(track.state is State.DOWN for track in lookout.report().tracks)

        await until(lambda: all(track.state is State.UP for track in lookout.report().tracks))
        dying.up = False
        await until(lambda: down() > 0)
        assert await until(lambda: down() == 10) < 0.2
        dying.up = True
        asked = len(living.asked)
        await until(lambda: down() == 0)
        assert len(living.asked) - asked < 20


async def test_questions_are_spread_over_the_interval() -> None:
    service = Witnessed()
    async with looking([watch(f"s{i}") for i in range(10)], service.ask, Settings(interval=Duration(0.5))):
        await until(lambda: len(service.asked) >= 30)
    later = service.asked[15:30]
    gaps = [after - before for before, after in itertools.pairwise(later)]
    assert max(gaps) < 0.25


async def test_a_network_that_swallows_everything_does_not_cost_a_socket_for_each_watch() -> None:
    service = Witnessed(seconds=0.05)
    async with looking([watch(f"s{i}") for i in range(200)], service.ask, Settings(interval=Duration(60))):
        await until(lambda: len(service.asked) == 200)
    assert service.most_under_way == AT_ONCE


async def test_tallies_hold_every_answer_once_and_failures_in_full() -> None:
    service = Witnessed(up=False)
    settings = Settings(interval=Duration(60), recheck=Duration(0.01))
    async with looking([watch()], service.ask, settings) as lookout:
        await until(lambda: lookout.report().tracks[0].state is State.DOWN)
        (tally,) = lookout.take_tallies()
        assert lookout.take_tallies() == ()
    assert (tally.service, tally.state, tally.asked) == ("nbviewer", State.DOWN, 2)
    assert [failure.detail for failure in tally.failures] == ["down", "down"]


@given(st.floats(0, 1e6), st.floats(0, 100), st.floats(0.1, 100))
def test_the_next_slot_is_half_to_one_and_a_half_intervals_away(now: float, first: float, interval: float) -> None:
    slot = next_slot(now + first, first_slot=first, interval=interval)
    assert interval * 0.499 <= slot - now - first <= interval * 1.501
    turns = (slot - first) / interval
    assert abs(turns - round(turns)) < 1e-6
