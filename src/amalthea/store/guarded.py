"""Keep a store that hangs from holding up whoever asks it: a time limit, and a circuit breaker.

One call that hangs costs its time limit. After a few failures in a row the breaker opens: calls fail at once,
without asking, until a while has passed; then one call is let through to see, and its answer decides.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from amalthea.model.errors import StoreError, StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore

log = logging.getLogger(__name__)

T = TypeVar("T")
_SLOWEST_BYTES_PER_SECOND = 2**20


class GuardedStore:
    """`inner`, with `limit` seconds for a call and a breaker that opens after `failures` for `pause` seconds.

    A put gets another second for each MiB of its body. `name` is for messages.
    """

    def __init__(
        self,
        inner: ObjectStore,
        *,
        name: str,
        limit: float = 10.0,
        failures: int = 3,
        pause: float = 10.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._name = name
        self._limit = limit
        self._allowed = failures
        self._pause = pause
        self._seconds = seconds
        self._in_a_row = 0
        self._closed_at = 0.0
        self.failures = 0
        """How many calls have failed since the start, refused ones not counted."""

    @property
    def open(self) -> bool:
        """Whether the breaker is open, so that calls fail without being tried."""
        return self._in_a_row >= self._allowed and self._seconds() < self._closed_at

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put`. After a time limit the object may still be put."""
        limit = self._limit + len(body) / _SLOWEST_BYTES_PER_SECOND
        return await self._try(lambda: self._inner.put(key, body, if_absent=if_absent), limit)

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return await self._try(lambda: self._inner.get(key), self._limit)

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        await self._try(lambda: self._inner.delete(key), self._limit)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`; the limit is for the wait until the next object."""
        objects = self._inner.list(prefix, after=after)
        while (info := await self._try(lambda: anext(objects, None), self._limit)) is not None:
            yield info

    async def _try(self, call: Callable[[], Awaitable[T]], limit: float) -> T:
        if self.open:
            raise StoreUnavailable(
                f"the store has failed {self._in_a_row} times in a row and is left alone for a while",
                where=self._name,
                hint=f"It is tried again every {self._pause:g} s.",
            )
        if self._in_a_row >= self._allowed:
            self._closed_at = self._seconds() + self._pause  # this call sees for all others
        try:
            async with asyncio.timeout(limit):
                answer = await call()
        except TimeoutError:
            self._failed()
            raise StoreUnavailable(f"the store gave no answer within {limit:g} s", where=self._name) from None
        except StoreUnavailable:
            self._failed()
            raise
        except StoreError:  # no good news, but an answer
            self._answered()
            raise
        self._answered()
        return answer

    def _answered(self) -> None:
        if self._in_a_row >= self._allowed:
            log.warning("%s: the store answers again", self._name)
        self._in_a_row = 0

    def _failed(self) -> None:
        self.failures += 1
        self._in_a_row += 1
        self._closed_at = self._seconds() + self._pause
        if self._in_a_row == self._allowed:
            log.warning(
                "%s: the store failed %d times in a row; it is left alone for a while", self._name, self._allowed
            )

    async def aclose(self) -> None:
        """Close `inner`; one that hangs is left behind."""
        try:
            async with asyncio.timeout(self._limit):
                await self._inner.aclose()
        except TimeoutError:
            raise StoreUnavailable(f"the store did not close within {self._limit:g} s", where=self._name) from None
