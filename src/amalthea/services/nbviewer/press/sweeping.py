"""Lets go of what the store has kept for too long, or too much of.

What is found under hashes may be deleted by every site, twice as well as once: it can be made or fetched again. What
a site has written under its own name, only that site deletes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.errors import StoreError
from amalthea.model.store import ObjectInfo, ObjectStore
from amalthea.services.nbviewer.instruments import Instruments

_EVERY = 3600.0


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long, and how many bytes in all."""

    age: timedelta
    size: int


class Sweep:
    """Sweeps the objects under some prefixes; each stays longer than the others by what is said with it.

    A frame has to outlive the page that shows it.
    """

    def __init__(
        self,
        store: ObjectStore,
        prefixes: Mapping[str, timedelta],
        keep: Keep,
        *,
        clock: Clock,
        instruments: Instruments,
    ) -> None:
        self._store = store
        self._prefixes = prefixes
        self._keep = keep
        self._clock = clock
        self._instruments = instruments

    async def run(self) -> None:
        """Once an hour until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.once()

    async def once(self) -> int:
        """Sweep; how many objects went. A store that fails is counted, and asked again the next time."""
        gone = 0
        try:
            for key in old(await self._found(), self._keep, now=self._clock()):
                await self._store.delete(key)
                gone += 1
        except (StoreError, OSError):
            self._instruments.store_failures.labels("sweep").inc()
        self._instruments.swept.inc(gone)
        return gone

    async def _found(self) -> Sequence[tuple[datetime, ObjectInfo]]:
        """Every object and the time that counts for it."""
        return [
            (found.modified + longer, found)
            for prefix, longer in self._prefixes.items()
            async for found in self._store.list(prefix)
        ]


def old(found: Iterable[tuple[datetime, ObjectInfo]], keep: Keep, *, now: datetime) -> Sequence[str]:
    """The keys to delete: what is older than its age, and the oldest of what is more than the size."""
    room, gone = keep.size, []
    for when, info in sorted(found, key=lambda pair: pair[0], reverse=True):
        room -= info.size
        if room < 0 or now - when > keep.age:
            gone.append(info.key)
    return gone
