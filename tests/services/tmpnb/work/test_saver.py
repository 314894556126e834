"""Time jumps here: what takes minutes takes no time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from amalthea.model.spawner import HomeFile
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.saver import Living, Pace, Saved, Saver
from amalthea.services.tmpnb.work.work import Work
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import START, restored
from tests.store.faulty import FaultyStore, Mood
from tests.store.jumping import JumpingLoop


class Looped:
    """A clock that goes with the loop."""

    def __call__(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())


class Slow(Directory):
    """A home that can be told not to answer; `most` is how many looked into one at the same time."""

    inside, most = 0, 0

    def __init__(self, root: Path, *, hangs: bool = False, fault: Exception | None = None) -> None:
        super().__init__(root)
        self.hangs = hangs
        self.fault = fault
        self.looks = list[float]()

    async def scan(self) -> Sequence[HomeFile]:
        self.looks.append(asyncio.get_running_loop().time())
        Slow.inside += 1
        Slow.most = max(Slow.most, Slow.inside)
        try:
            await asyncio.sleep(10_000 if self.hangs else 0.5)
        finally:
            Slow.inside -= 1
        if self.fault is not None:
            raise self.fault
        return await super().scan()


class Scene:
    """A saver of some sessions, over a store that can be told to fail."""

    def __init__(self, place: Path, *names: str, pace: Pace | None = None) -> None:
        Slow.most = 0
        self.store = FaultyStore(MemoryStore())
        self.registry = CollectorRegistry()
        instruments = Instruments(self.registry)
        self.homes = {name: Slow(place / name) for name in names}
        for home in self.homes.values():
            home.fill({"a": (b"1", False)})
        bounds = Bounds(call=Duration(30), attempt=Duration(60))
        self.work = Work(self.store, site="north", instruments=instruments, bounds=bounds, clock=Looped())
        self.saver = Saver(
            self.work,
            lambda: [Living(session=name, home=home) for name, home in self.homes.items()],
            instruments=instruments,
            pace=pace or Pace(),
            clock=Looped(),
        )

    async def during(self, seconds: float) -> None:
        """Let the saver run for so long."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.saver.run()

    def count(self, result: str) -> float:
        value = self.registry.get_sample_value("amalthea_tmpnb_snapshots_total", {"result": result})
        return value or 0.0

    async def final(self, name: str) -> Saved:
        return await self.saver.final(Living(session=name, home=self.homes[name]))


def jumping(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(scene())


def test_every_session_is_kept_when_it_changes_and_not_more_often_than_told(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1", "s-2")
        await at.during(35)
        for home in at.homes.values():
            rounds = [home.looks[0], *home.looks[2:]]  # the first one looks again, whether what it read held still
            assert all(later - sooner >= 10 for sooner, later in pairwise(rounds))
            assert len(rounds) == 4
        assert (at.count("written"), at.count("unchanged"), at.count("failed")) == (2, 6, 0)
        assert (await at.work.newest("s-1")) is not None
        assert at.saver.trouble == ""
        assert at.saver.saved("s-1").at is not None

    jumping(scene)


def test_a_new_session_is_kept_at_once_and_one_that_is_gone_is_let_go_of(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1")
        await at.during(3)
        at.homes = {"s-2": at.homes["s-1"]}
        await at.during(3)
        assert await at.work.newest("s-2") is not None
        assert at.saver.saved("s-1") == Saved()
        assert at.saver.saved("s-2").at is not None

    jumping(scene)


def test_so_many_sessions_at_once_and_no_more_and_all_have_their_turn(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, *(f"s-{n}" for n in range(40)))
        await at.during(25)
        assert at.count("written") == 40
        assert Slow.most == 4

    jumping(scene)


@pytest.mark.parametrize("mood", [Mood.FAILING, Mood.HANGING])
def test_a_store_that_fails_or_hangs_is_said_and_counted_until_it_is_well(
    tmp_path: Path, mood: Mood, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1", "s-2")
        at.store.mood = mood
        await at.during(100)
        assert at.saver.trouble.startswith("The work of 2 sessions is not kept at the moment: ")
        assert at.registry.get_sample_value("amalthea_tmpnb_unsaved_sessions") == 2
        assert at.count("failed") >= 4
        assert at.saver.saved("s-1").at is None
        at.store.mood = Mood.WELL
        await at.during(125)
        assert at.saver.trouble == ""
        assert at.registry.get_sample_value("amalthea_tmpnb_unsaved_sessions") == 0
        assert at.count("written") == 2

    with caplog.at_level(logging.INFO, logger="amalthea.services.tmpnb.work.saver"):
        jumping(scene)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_home_that_hangs_delays_nobody_else(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, *(f"s-{n}" for n in range(10)))
        at.homes["s-0"].hangs = True
        await at.during(70)
        assert at.saver.saved("s-0").failures == 1
        assert at.saver.trouble.startswith("The work of one session is not kept")
        assert all(len(at.homes[f"s-{n}"].looks) >= 6 for n in range(1, 10))

    jumping(scene)


def test_a_fault_that_nobody_thought_of_concerns_one_session(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1", "s-2")
        at.homes["s-1"].fault = ZeroDivisionError("oh")
        await at.during(20)
        assert "fault of this service" in at.saver.trouble
        assert await at.work.newest("s-2") is not None

    jumping(scene)
    assert any(record.exc_info for record in caplog.records)


def test_what_fails_is_tried_later_and_later_but_not_too_late(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1")
        at.store.mood = Mood.FAILING
        await at.during(600)
        looks = at.homes["s-1"].looks
        pauses = [later - sooner for sooner, later in pairwise(looks)]
        assert [round(pause, -1) for pause in pauses[:5]] == [20, 40, 80, 120, 120]

    jumping(scene)


def test_the_last_snapshot_is_taken_when_a_session_ends(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1")
        running = asyncio.create_task(at.saver.run())
        await asyncio.sleep(5)
        at.homes["s-1"].fill({"a": (b"the last words", False)})
        assert (await at.final("s-1")).failures == 0
        await asyncio.sleep(5)
        running.cancel()
        await asyncio.wait({running})
        tree = await restored(at.work, await at.work.newest("s-1"), tmp_path / "other")
        assert tree == {"a": (b"the last words", False)}

    jumping(scene)


def test_the_last_snapshot_takes_the_place_of_one_that_hangs(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1")
        home = at.homes["s-1"]
        home.hangs = True
        running = asyncio.create_task(at.saver.run())
        await asyncio.sleep(3)
        home.hangs = False
        began = asyncio.get_running_loop().time()
        saved = await at.final("s-1")
        assert asyncio.get_running_loop().time() - began < 5
        assert (saved.failures, saved.trouble) == (0, "")
        assert await at.work.newest("s-1") is not None
        running.cancel()
        await asyncio.wait({running})

    jumping(scene)


def test_the_last_snapshot_takes_no_longer_than_it_may_and_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        at = Scene(tmp_path, "s-1")
        at.store.mood = Mood.HANGING
        began = asyncio.get_running_loop().time()
        saved = await at.final("s-1")
        assert asyncio.get_running_loop().time() - began <= 20.1
        assert saved.failures == 1
        assert "not kept within 20 s" in saved.trouble
        assert at.saver.trouble == ""

    jumping(scene)
