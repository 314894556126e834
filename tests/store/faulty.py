"""A store that can be told to fail, as stores do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum

from amalthea.model.errors import StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore


class Mood(StrEnum):
    """What a store does when asked."""

    WELL = "answers"
    FAILING = "fails at once"
    HANGING = "never answers"
    MUTE = "does as told, then fails"


class FaultyStore:
    """`inner` in a mood. `calls` counts what it was asked."""

    def __init__(self, inner: ObjectStore) -> None:
        self.inner = inner
        self.mood = Mood.WELL
        self.calls = 0

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        await self._before()
        etag = await self.inner.put(key, body, if_absent=if_absent)
        self._after()
        return etag

    async def get(self, key: str) -> bytes:
        await self._before()
        body = await self.inner.get(key)
        self._after()
        return body

    async def delete(self, key: str) -> None:
        await self._before()
        await self.inner.delete(key)
        self._after()

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        await self._before()
        async for info in self.inner.list(prefix, after=after):
            yield info
            await self._before()
        self._after()

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def _before(self) -> None:
        self.calls += 1
        if self.mood is Mood.FAILING:
            raise StoreUnavailable("failing as told")
        if self.mood is Mood.HANGING:
            await asyncio.get_running_loop().create_future()

    def _after(self) -> None:
        if self.mood is Mood.MUTE:
            raise StoreUnavailable("the answer was lost")
