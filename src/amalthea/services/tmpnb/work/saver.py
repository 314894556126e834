"""Keeps the work of every living session, again and again, and a last time when it ends.

The store or a home may fail or hang, and no visitor waits for either: each attempt has a time limit, nothing is raised,
so many go on at once and no more, and one that failed is tried again later and later. `trouble` says so on the page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

import msgspec

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import AmaltheaError
from amalthea.model.spawner import Home
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.work import Work

log = logging.getLogger(__name__)


class Living(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is to be kept: see `Work.snapshot`."""

    session: str
    home: Home
    environment: str = ""
    facts: dict[str, str] = {}


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """When all files of a session were last known to be kept, how often it failed since, and why."""

    at: datetime | None = None
    failures: int = 0
    trouble: str = ""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """A session is looked at `every` so often, and at the least `slowest` where that fails; `at_once` sessions at once.

    The last snapshot of a session takes at most `final`.
    """

    every: Duration = Duration(10)
    slowest: Duration = Duration(120)
    final: Duration = Duration(20)
    at_once: int = 4


_USUAL = Pace()
_NOTHING = Saved()


class Saver:
    """Keeps what `living` names, which is asked again and again; a session that it does not name is let go of."""

    def __init__(
        self,
        work: Work,
        living: Callable[[], Iterable[Living]],
        *,
        instruments: Instruments,
        pace: Pace = _USUAL,
        clock: Clock = system_clock,
    ) -> None:
        self._work = work
        self._living = living
        self._instruments = instruments
        self._pace = pace
        self._clock = clock
        self._saved: dict[str, Saved] = {}
        self._due: dict[str, float] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending: set[str] = set()
        self._wake = asyncio.Event()
        self._in_trouble = False

    @property
    def trouble(self) -> str:
        """What to say on a page while work is not kept; "" while all is well."""
        failing = [saved for saved in self._saved.values() if saved.failures]
        if not failing:
            return ""
        many = f"{len(failing)} sessions" if len(failing) > 1 else "one session"
        return f"The work of {many} is not kept at the moment: {failing[0].trouble}"

    def saved(self, session: str) -> Saved:
        """How it stands with a living session."""
        return self._saved.get(session, _NOTHING)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._start_due(group)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pace.every / 10):
                        await self._wake.wait()
                self._wake.clear()

    async def final(self, living: Living) -> Saved:
        """Keep a session that ends, and return how it stands then; it takes no longer than it may, and raises nothing.

        No other attempt begins for it meanwhile. Afterwards its name is free.
        """
        self._ending.add(living.session)
        try:
            async with asyncio.timeout(self._pace.final):
                await self._stop(living.session)
                await self._keep(living)
        except TimeoutError:
            self._failed(living.session, f"the files were not kept within {self._pace.final:g} s")
        finally:
            saved = self.saved(living.session)
            self._let_go(living.session)
            self._ending.discard(living.session)
        return saved

    def _start_due(self, group: asyncio.TaskGroup) -> None:
        """Begin with those that have waited longest."""
        now = asyncio.get_running_loop().time()
        living = {each.session: each for each in self._living()}
        for session in self._due.keys() - living.keys() - self._running.keys() - self._ending:
            self._let_go(session)
        for session in sorted(self._waiting(living, now=now), key=lambda session: self._due[session]):
            if len(self._running) >= self._pace.at_once:
                break
            task = group.create_task(self._round(living[session]))
            self._running[session] = task
            task.add_done_callback(lambda _, session=session: self._over(session))  # type: ignore[misc]

    def _waiting(self, living: Mapping[str, Living], *, now: float) -> Iterable[str]:
        """The sessions whose time has come; a new one's has."""
        return [
            session
            for session in living.keys() - self._running.keys() - self._ending
            if self._due.setdefault(session, now) <= now
        ]

    async def _round(self, living: Living) -> None:
        session = living.session
        await self._keep(living)
        pause = min(self._pace.every * 2 ** min(self.saved(session).failures, 16), self._pace.slowest)
        self._due[session] = asyncio.get_running_loop().time() + pause

    def _over(self, session: str) -> None:
        self._running.pop(session, None)
        self._wake.set()

    async def _stop(self, session: str) -> None:
        """End an attempt that is under way: what it has put is not put again."""
        if task := self._running.get(session):
            task.cancel()
            await asyncio.wait({task})

    async def _keep(self, living: Living) -> None:
        """One attempt; whatever goes wrong in it concerns this session alone."""
        try:
            await self._attempt(living)
        except (AmaltheaError, OSError) as error:
            self._failed(living.session, str(error) or type(error).__name__)
        except Exception:
            log.exception("a snapshot failed in a way that nobody thought of")
            self._failed(living.session, "a fault of this service; it is in its log")

    async def _attempt(self, living: Living) -> None:
        loop, session = asyncio.get_running_loop(), living.session
        began, at = loop.time(), self._clock()
        snapshot = await self._work.snapshot(session, living.home, environment=living.environment, facts=living.facts)
        self._instruments.snapshots.labels("unchanged" if snapshot is None else "written").inc()
        self._tell(session, Saved(at=at))
        if snapshot is not None:
            self._instruments.snapshot_seconds.observe(loop.time() - began)
            if session not in self._ending:
                await self._tidy(session)

    async def _tidy(self, session: str) -> None:
        """Room is not urgent: what cannot be removed now is removed later."""
        try:
            self._instruments.swept.inc(await self._work.tidy(session))
        except (AmaltheaError, OSError):
            self._instruments.sweep_failures.inc()

    def _failed(self, session: str, why: str) -> None:
        self._instruments.snapshots.labels("failed").inc()
        before = self.saved(session)
        self._tell(session, Saved(at=before.at, failures=before.failures + 1, trouble=why))

    def _tell(self, session: str, saved: Saved) -> None:
        """Keep it for the page, and log where trouble begins and where it ends."""
        self._saved[session] = saved
        self._reckon()

    def _reckon(self) -> None:
        self._instruments.unsaved.set(sum(1 for each in self._saved.values() if each.failures))
        trouble = self.trouble
        if trouble and not self._in_trouble:
            log.warning("%s", trouble)
        elif self._in_trouble and not trouble:
            log.info("the work of all sessions is kept again")
        self._in_trouble = bool(trouble)

    def _let_go(self, session: str) -> None:
        self._saved.pop(session, None)
        self._due.pop(session, None)
        self._work.release(session)
        self._reckon()
