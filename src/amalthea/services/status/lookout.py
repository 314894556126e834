"""The lookout: asks every watch again and again, and keeps what it saw.

All watches are asked at once at the start; after that each has its own place in the interval, evenly spaced,
so that the load is even and two of them rarely meet. An answer that says something new is not waited on: the
watch is asked again after `recheck`, until the fold believes it, and what else is at that site is asked at
once: sites die whole, and the page should say so in a second and not service by service. The number of
questions under way is bounded, so that a network which swallows everything does not cost a socket for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter

from amalthea.model.clock import Clock
from amalthea.model.probe import Observation, Watch
from amalthea.services.status.history import Tally
from amalthea.services.status.settings import Settings
from amalthea.services.status.track import Report, Thresholds, Track

log = logging.getLogger(__name__)

Ask = Callable[[Watch], Awaitable[Observation]]

AT_ONCE = 64
"""Questions under way at the same time."""


class Lookout:
    """What one site sees. `news` is set whenever a state changed; whoever acts on it clears it."""

    def __init__(
        self,
        watches: Sequence[Watch],
        ask: Ask,
        *,
        site: str,
        settings: Settings,
        clock: Clock,
        registry: CollectorRegistry,
    ) -> None:
        self.news = asyncio.Event()
        self._watches = tuple(watches)
        self._ask = ask
        self.site = site
        self._settings = settings
        self._thresholds = Thresholds(down_after=settings.down_after, up_after=settings.up_after)
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tracks = [Track.of(watch) for watch in self._watches]
        self._alarms = [asyncio.Event() for _ in self._watches]
        self._tallies: dict[int, Tally] = {}
        self._asked = Counter(
            "amalthea_status_answers_total",
            "Answers to probes, by what they said.",
            ("service", "site", "ok"),
            registry=registry,
        )

    def report(self) -> Report:
        """Everything it sees now."""
        return Report(vantage=self.site, at=self._clock(), tracks=tuple(self._tracks))

    def take_tallies(self) -> tuple[Tally, ...]:
        """What was observed since the last call."""
        taken = tuple(self._tallies.values())
        self._tallies = {}
        return taken

    async def run(self) -> None:
        """Ask until cancelled."""
        started = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for place in range(len(self._watches)):
                tasks.create_task(self._watch(place, started))

    async def _watch(self, place: int, started: float) -> None:
        loop = asyncio.get_running_loop()
        first_slot = started + self._settings.interval * place / len(self._watches)
        while True:
            async with self._slots:
                observation = await self._ask(self._watches[place])
            settled = self._take(place, observation)
            if settled:
                delay = next_slot(loop.time(), first_slot=first_slot, interval=self._settings.interval) - loop.time()
            else:
                delay = min(self._settings.recheck, self._settings.interval)
            await self._rest(place, delay)

    def _take(self, place: int, observation: Observation) -> bool:
        """Fold one observation in; whether it is believed."""
        before, watch = self._tracks[place], self._watches[place]
        track = self._tracks[place] = before.after(observation, self._thresholds)
        self._tallies[place] = self._tallies.get(place, Tally.of(watch)).plus(observation, track.state)
        self._asked.labels(watch.service, watch.site, str(observation.ok).lower()).inc()
        if not observation.ok and (before.last is None or before.last.ok):
            self._alarm(watch.site)
        if track.state is not before.state:
            self.news.set()
            log.info(
                "%s at %s is %s", track.service, track.site, track.state.value, extra={"detail": observation.detail}
            )
        return track.settled

    async def _rest(self, place: int, delay: float) -> None:
        """Wait for the next turn, or for an alarm that comes from now on."""
        self._alarms[place].clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._alarms[place].wait()

    def _alarm(self, site: str) -> None:
        """Have everything at `site` asked now that answered well the last time."""
        for watch, track, alarm in zip(self._watches, self._tracks, self._alarms, strict=True):
            if watch.site == site and track.last is not None and track.last.ok:
                alarm.set()


def next_slot(now: float, *, first_slot: float, interval: float) -> float:
    """The first of `first_slot`, `first_slot + interval`, ... that is at least half an interval away.

    So between two questions pass half to one and a half intervals, whatever delayed the last one.
    """
    earliest = now + interval / 2
    behind = earliest - first_slot
    return first_slot if behind <= 0 else first_slot + interval * -(-behind // interval)
