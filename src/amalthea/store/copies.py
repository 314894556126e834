"""The stores that hold the same objects: who is up to date on a key, and whose write comes first.

Writes of one key to one store happen in the order in which they were asked for, even when an earlier one is
slow: else the older bytes would win. A store with such a write under way is not up to date, and neither is
one that missed a write.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

import msgspec

from amalthea.model.errors import ObjectExists, StoreUnavailable
from amalthea.store.debts import Debt, Debts
from amalthea.store.guarded import GuardedStore

T = TypeVar("T")
_MOST_UNDER_WAY = 1000


class Unchanged(Exception):
    """Raised by a write that found nothing to do; what its store owes stays as it is."""


class Copy(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One of the stores. Its name is the same at every site."""

    name: str
    store: GuardedStore


class Copies:
    """All stores, nearest first, and what is known of them."""

    def __init__(self, stores: Mapping[str, GuardedStore], *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.all = tuple(Copy(name=name, store=store) for name, store in stores.items())
        self.by_name = {copy.name: copy for copy in self.all}
        self.debts = Debts()
        self.seconds = seconds
        self._last: dict[Debt, asyncio.Task[object]] = {}
        self._under_way: Counter[str] = Counter()

    def current(self, key: str) -> tuple[Copy, ...]:
        """The stores that are up to date on a key, nearest first; all of them where none is known to be."""
        return tuple(copy for copy in self.all if not self.behind(copy, key)) or self.all

    def behind(self, copy: Copy, key: str) -> bool:
        """Whether a store has missed a write of a key, or has it still to do."""
        place = Debt(store=copy.name, key=key)
        return place in self.debts or place in self._last

    def owing(self, key: str) -> tuple[Copy, ...]:
        """The stores that have missed a write of a key; none where all have."""
        owing = tuple(copy for copy in self.all if Debt(store=copy.name, key=key) in self.debts)
        return owing if len(owing) < len(self.all) else ()

    def writing(self, key: str, *, besides: Copy) -> bool:
        """Whether a write of this key to another store is under way."""
        return any(Debt(store=c.name, key=key) in self._last for c in self.all if c is not besides)

    def write(self, copy: Copy, key: str, call: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """Start a write behind the earlier ones of this key; when it fails the store owes the key."""
        place = Debt(store=copy.name, key=key)
        task = asyncio.create_task(self._after(self._last.get(place), copy, call))
        self._last[place] = task
        self._under_way[copy.name] += 1
        task.add_done_callback(partial(self._written, place))
        return task

    async def _after(self, earlier: asyncio.Task[object] | None, copy: Copy, call: Callable[[], Awaitable[T]]) -> T:
        if self._under_way[copy.name] > _MOST_UNDER_WAY:
            raise StoreUnavailable(f"{_MOST_UNDER_WAY} writes already wait for this store", where=copy.name)
        if earlier is not None:
            await asyncio.wait([earlier])
        return await call()

    def _written(self, place: Debt, task: asyncio.Task[object]) -> None:
        self._under_way[place.store] -= 1
        if self._last[place] is task:
            del self._last[place]
        failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        if failure is None:
            self.debts.settle(place, now=self.seconds())
        elif not isinstance(failure, ObjectExists | Unchanged):
            self.debts.add(place)

    async def finish(self) -> None:
        """Wait until no write is under way."""
        while self._last:
            await asyncio.wait(self._last.values())
