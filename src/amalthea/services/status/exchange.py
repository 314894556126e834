"""Between what a site sees and the store: a short loop that writes and reads on time.

The newest report goes out, and those of the other sites come in, twice in an interval and at once when a
state changed. A batch is written each minute and with each change, so that a site that dies a moment later
has left word of it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from amalthea.model.clock import Clock
from amalthea.services.status.history import Batch
from amalthea.services.status.ledger import Ledger
from amalthea.services.status.lookout import Lookout
from amalthea.services.status.settings import Settings

BATCH = timedelta(minutes=1)
FORGET = timedelta(hours=1)
GATHER_SECONDS = 0.2
"""After a change: changes come in groups, and one report and one batch should tell of them all."""


class Exchange:
    """Carries what `lookout` sees to `ledger`, and has it read what others saw."""

    def __init__(self, lookout: Lookout, ledger: Ledger, *, settings: Settings, clock: Clock) -> None:
        self._lookout = lookout
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._begun = clock()
        self._forgot: datetime | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.interval / 2):
                    await self._lookout.news.wait()
            changed = self._lookout.news.is_set()
            if changed:
                await asyncio.sleep(GATHER_SECONDS)
            self._lookout.news.clear()
            await self._turn(changed=changed)

    async def _turn(self, *, changed: bool) -> None:
        await self._ledger.exchange(self._lookout.report())
        now = self._clock()
        if changed or now - self._begun >= BATCH:
            batch = Batch(
                vantage=self._lookout.site, begun=self._begun, ended=now, tallies=self._lookout.take_tallies()
            )
            self._begun = now
            await self._ledger.keep(batch)
        if self._forgot is None or now - self._forgot >= FORGET:
            self._forgot = now
            await self._ledger.forget(now - timedelta(seconds=self._settings.keep))
