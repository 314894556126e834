"""Ask again when a store is unavailable: a few times, ever more slowly, and not for ever.

Each wait is drawn between nothing and twice the bound of the one before, so that many callers who failed
together do not come back together. Only `StoreUnavailable` is asked again; every other answer is an answer.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from amalthea.model.errors import ObjectExists, StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
Seconds = Callable[[], float]


def jitter() -> float:
    """A random share, from 0 to 1."""
    return secrets.randbelow(1_000_001) / 1_000_000


class RetryingStore:
    """`inner`, asked up to `attempts` times, with waits of up to `first`, then twice that, ... `longest` seconds.

    No attempt begins later than `deadline` seconds after the first.
    """

    def __init__(
        self,
        inner: ObjectStore,
        *,
        attempts: int = 4,
        first: float = 0.1,
        longest: float = 2.0,
        deadline: float = 15.0,
        sleep: Sleep = asyncio.sleep,
        seconds: Seconds = time.monotonic,
        share: Callable[[], float] = jitter,
    ) -> None:
        self._inner = inner
        self._attempts = attempts
        self._first = first
        self._longest = longest
        self._deadline = deadline
        self._sleep = sleep
        self._seconds = seconds
        self._share = share

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put`.

        An attempt may succeed though its answer is lost. With `if_absent` the next one then finds an object:
        when it holds these very bytes it counts as ours.
        """
        patience = self._patience()
        while True:
            try:
                return await self._inner.put(key, body, if_absent=if_absent)
            except StoreUnavailable as error:
                await patience.wait(error)
            except ObjectExists:
                if patience.used and await self.get(key) == body:
                    return await self._etag(key)
                raise

    async def _etag(self, key: str) -> str:
        async for info in self.list(key):
            if info.key == key:
                return info.etag
        raise StoreUnavailable("the object went away while it was written", where=key)

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return await self._again(lambda: self._inner.get(key))

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        await self._again(lambda: self._inner.delete(key))

    async def _again(self, call: Callable[[], Awaitable[T]]) -> T:
        patience = self._patience()
        while True:
            try:
                return await call()
            except StoreUnavailable as error:
                await patience.wait(error)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`. A listing that breaks off goes on behind the last key it gave."""
        patience = self._patience()
        while True:
            try:
                async for info in self._inner.list(prefix, after=after):
                    yield info
                    after, patience = info.key, self._patience()
                return
            except StoreUnavailable as error:
                await patience.wait(error)

    async def aclose(self) -> None:
        """Close `inner`."""
        await self._inner.aclose()

    def _patience(self) -> _Patience:
        return _Patience(
            waits=[min(self._longest, self._first * 2**n) * self._share() for n in range(self._attempts - 1)],
            until=self._seconds() + self._deadline,
            sleep=self._sleep,
            seconds=self._seconds,
        )


class _Patience:
    """How long one call has still to wait."""

    def __init__(self, *, waits: list[float], until: float, sleep: Sleep, seconds: Seconds) -> None:
        self._waits = waits
        self._until = until
        self._sleep = sleep
        self._seconds = seconds
        self.used = False

    async def wait(self, error: StoreUnavailable) -> None:
        """Wait until the next attempt; with no patience left, raise `error`."""
        if not self._waits or self._seconds() + self._waits[0] > self._until:
            raise error
        self.used = True
        await self._sleep(self._waits.pop(0))
