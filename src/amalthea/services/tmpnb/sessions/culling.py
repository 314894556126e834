"""Who has been idle for too long, here for too long, or has used too much."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from amalthea.model.clock import Clock
from amalthea.model.errors import Unreachable
from amalthea.model.spawner import Spawner
from amalthea.services.tmpnb.errors import NoSuchSession
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.sessions.activity import activity
from amalthea.services.tmpnb.sessions.session import Session
from amalthea.services.tmpnb.sessions.sessions import Sessions
from amalthea.services.tmpnb.settings import Settings

log = logging.getLogger(__name__)

_AT_ONCE = 10
_LONGEST_PAUSE = 15.0


class Culler:
    """Looks at every session again and again."""

    def __init__(
        self, sessions: Sessions, spawner: Spawner, *, settings: Settings, clock: Clock, instruments: Instruments
    ) -> None:
        self._sessions = sessions
        self._spawner = spawner
        self._settings = settings
        self._clock = clock
        self._throttled = instruments.throttled
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Until cancelled."""
        pause = min(_LONGEST_PAUSE, self._settings.idle / 10, self._settings.lifetime / 10)
        while True:
            await asyncio.sleep(pause)
            await self.look()

    async def look(self) -> None:
        """Once at each session."""
        await asyncio.gather(*map(self._safely, self._sessions))

    async def _safely(self, session: Session) -> None:
        """What one of them does to us must not keep the others alive."""
        try:
            await self._look(session)
        except Exception:
            log.exception("%s: it could not be looked at", session.name)

    async def _look(self, session: Session) -> None:
        if self._clock() < session.until:
            async with self._few:
                await self._ask(session)
                await self._weigh(session)
        now = self._clock()
        if now >= session.until:
            await self._end(session, "Its time was over.", "lifetime")
        elif not session.busy and now - session.active >= timedelta(seconds=self._settings.idle):
            await self._end(session, f"Nothing had happened in it for {self._settings.idle}.", "idle")

    async def _ask(self, session: Session) -> None:
        try:
            found = await activity(self._sessions.upstream(session), base=session.base, token=session.token)
        except (OSError, TimeoutError, KeyError):  # it does not say, or has just ended: what is known stays
            session.busy = False
            return
        now = self._clock()
        if found.busy or session.busy:  # idle time begins when the computing ends
            session.active = now
        if found.last is not None:
            session.active = min(now, max(session.active, found.last))
        session.busy = found.busy

    async def _weigh(self, session: Session) -> None:
        try:
            used = (await self._spawner.usage(session.name)).cpu
            if used is None or used < self._settings.cpu_budget or session.slowed:
                return
            await self._spawner.throttle(session.name, cpu=self._settings.slow_cpu)
        except Unreachable:
            return
        session.slowed = True
        self._throttled.inc()
        log.info("%s: %.0f s of CPU are used, it is slowed down", session.name, used)

    async def _end(self, session: Session, why: str, reason: str) -> None:
        try:
            await self._sessions.end(session.name, why, reason=reason)
        except NoSuchSession:
            return
        log.info("%s: ended: %s", session.name, why)
