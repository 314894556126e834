"""Where a session went on that was opened again: so that its old link leads there, at whatever site.

    tmpnb/moved/<old>/<milliseconds>-<new>

One object for each time, which says all it has to say by its name; the newest counts. Nobody writes one twice.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

from amalthea.model.clock import Clock
from amalthea.model.errors import StoreError
from amalthea.model.store import ObjectStore
from amalthea.services.tmpnb.sessions.session import NAME

PREFIX = "tmpnb/moved/"
_KEY = re.compile(rf"{PREFIX}[^/]+/(\d{{15}})-({NAME.pattern})")
_SECONDS = 5.0
_FARTHEST = 10
_FRESH = timedelta(seconds=2)
_REMEMBERED = 10_000


class Moves:
    """The moves that are known. A store that fails or hangs costs five seconds, and nobody his session."""

    def __init__(self, store: ObjectStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._own: dict[str, str] = {}
        self._asked: dict[str, datetime] = {}

    async def note(self, old: str, new: str) -> None:
        """`old` goes on as `new`."""
        self._remember(old, new)
        now = int(self._clock().timestamp() * 1000)
        try:
            async with asyncio.timeout(_SECONDS):
                await self._store.put(f"{PREFIX}{old}/{now:015}-{new}", b"", if_absent=True)
        except (StoreError, OSError, TimeoutError):
            return

    async def follow(self, old: str) -> str:
        """What it goes on as in the end; "" where nobody knows of a move."""
        last = ""
        if not NAME.fullmatch(old):
            return last
        for _ in range(_FARTHEST):
            step = await self._step(last or old)
            if not step:
                break
            last = step
        return last

    async def _step(self, old: str) -> str:
        """The next step; an open tab asks again and again, so that the store is asked now and then only."""
        newest, now = self._own.get(old, ""), self._clock()
        if old in self._asked and now - self._asked[old] < _FRESH:
            return newest
        if len(self._asked) > _REMEMBERED:
            self._asked.clear()
        self._asked[old] = now
        try:
            async with asyncio.timeout(_SECONDS):
                async for info in self._store.list(f"{PREFIX}{old}/"):
                    if found := _KEY.fullmatch(info.key):
                        newest = found[2]
        except (StoreError, OSError, TimeoutError):
            return newest
        if newest:
            self._remember(old, newest)
        return newest

    def _remember(self, old: str, new: str) -> None:
        if len(self._own) > _REMEMBERED:
            self._own.clear()
        self._own[old] = new

    async def sweep(self, keep: float) -> None:
        """Remove what is older than `keep` seconds."""
        oldest = self._clock() - timedelta(seconds=keep)
        try:
            old = [info.key async for info in self._store.list(PREFIX) if _made(info.key) < oldest]
            for key in old:
                await self._store.delete(key)
        except (StoreError, OSError):
            return


def _made(key: str) -> datetime:
    found = _KEY.fullmatch(key)
    return datetime.fromtimestamp(int(found[1]) / 1000, UTC) if found else datetime.min.replace(tzinfo=UTC)
