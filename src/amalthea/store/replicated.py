"""Several stores as one: what is acknowledged survives the loss of a site.

**Put** goes to all stores at once and returns when two have it durably (`enough`; the only one, where there is
one); the rest go on behind. With fewer in reach it raises `StoreUnavailable`, and the object may be there or not.

**Get** asks the nearest store, then the next where that one fails or has nothing, and copies what it finds to
the nearer ones. `ObjectMissing` is certain: so many stores said so that no acknowledged object can hide.

**List** is the ordered union, complete for everything acknowledged, or `StoreUnavailable`.

**Delete** returns when two stores have removed it and the others either have too or are on record as owing it
(see `debts`): it does not come back when they do. After `StoreUnavailable` it may: delete again.

**If absent**: the store whose name comes first and that answers is asked first, at every site the same one, so
of several writers one goes on. A create that finds an object anywhere is withdrawn and raises `ObjectExists`.
While stores are reachable exactly one writer wins. While some sites see other stores than others, at most one
does, with up to three stores; with more, names have to be unique by themselves, as those of this program are.

What holds for one writer (no object ever has two): it reads its own writes and deletes, whatever minority of the
stores is away. Other processes, and a store that was away, catch up with the next `repair`, and may until then
see the older object. Two moments are left. A writer killed after a put was acknowledged and before the
slowest store took it can leave the *older* bytes there until that key's next write; new objects are copied by
`repair`. And a delete at the very moment when another process copies the same object may have to be repeated.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial

import msgspec

from amalthea.model.errors import InvalidKey, ObjectMissing, StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore, check_key
from amalthea.store.copies import Copies, Copy
from amalthea.store.creating import Creation
from amalthea.store.debts import RECORDS, Debt
from amalthea.store.guarded import GuardedStore
from amalthea.store.reading import Found, find, too_few
from amalthea.store.repair import Repair, Repaired
from amalthea.store.union import Union

log = logging.getLogger(__name__)

ENOUGH = 2
_MOST_BEHIND = 64

Write = asyncio.Task[str | None]


class CopyStats(msgspec.Struct, frozen=True, kw_only=True):
    """One store as this process sees it: failed calls, keys it is behind on, whether it is left alone for now."""

    name: str
    failures: int
    owed: int
    open: bool


class ReplicationStats(msgspec.Struct, frozen=True, kw_only=True):
    """Counters since the start: reads that the nearest store could not answer, copies made to mend others."""

    elsewhere: int
    mended: int
    copies: tuple[CopyStats, ...]


class ReplicatedStore:
    """The stores by name, nearest first; a name (its URL, say) is the same at every site.

    Each is guarded: `limit` seconds for a call, and a breaker that opens after `failures` in a row for `pause`
    seconds. Call `repair` now and then, or keep `keep_repairing` running.
    """

    def __init__(
        self,
        stores: Mapping[str, ObjectStore],
        *,
        limit: float = 10.0,
        failures: int = 3,
        pause: float = 10.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        guarded = {
            name: GuardedStore(store, name=name, limit=limit, failures=failures, pause=pause, seconds=seconds)
            for name, store in stores.items()
        }
        self._enough = min(ENOUGH, len(stores))
        self._copies = Copies(guarded, seconds=seconds)
        self._repair = Repair(self._copies, enough=self._enough, settled_after=3 * limit)
        self._behind: set[asyncio.Task[object]] = set()
        self._elsewhere = 0

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put` and above. The etag is that of the nearest store that has acknowledged."""
        _check(key)
        if if_absent:
            return await Creation(self._copies, key, body, enough=self._enough).run()
        writes = self._write_all(key, lambda copy: copy.store.put(key, body))
        etags = await self._acknowledged(key, list(writes.values()))
        if len(etags) < len(writes):
            self._go_on(self._record_missed(key, writes))
        return etags[0] or ""

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        _check(key)
        found = await find(key, self._copies.current(key), enough=self._enough)
        if found.source is not self._copies.all[0]:
            self._elsewhere += 1
        if found.body is None:
            raise ObjectMissing("there is no object under this key", where=key)
        if found.lacking and len(self._behind) < _MOST_BEHIND:
            self._go_on(self._mend(key, found))
        return found.body

    async def _mend(self, key: str, found: Found) -> None:
        for copy in found.lacking:
            if found.source is not None:
                await self._repair.mend(copy, key, source=found.source)

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete` and above."""
        _check(key)
        writes = self._write_all(key, lambda copy: copy.store.delete(key))
        await self._acknowledged(key, list(writes.values()))
        await self._record_missed(key, writes)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`. Size, etag and time are those of the nearest store that is up to date."""
        listings = Union({copy.name: copy.store.list(prefix, after=after) for copy in self._copies.all})
        async for infos in listings:
            self._require_enough(listings, prefix)
            key = next(iter(infos.values())).key
            shown = [infos[copy.name] for copy in self._copies.current(key) if copy.name in infos]
            if shown and not key.startswith(RECORDS):
                yield shown[0]
        self._require_enough(listings, prefix)

    def _require_enough(self, listings: Union, prefix: str) -> None:
        if len(listings.failed) >= self._enough:
            raise too_few(list(listings.failed.values()), prefix)

    def _write_all(self, key: str, call: Callable[[Copy], Awaitable[str | None]]) -> dict[str, Write]:
        return {copy.name: self._copies.write(copy, key, partial(call, copy)) for copy in self._copies.all}

    async def _acknowledged(self, key: str, writes: Sequence[Write]) -> Sequence[str | None]:
        """Wait until enough writes are done; return what they gave, nearest first."""
        waiting = set(writes)
        while True:
            failures = [failure for write in writes if (failure := _failure(write)) is not None]
            done = [write.result() for write in writes if write.done() and _failure(write) is None]
            if len(done) >= self._enough:
                return done
            if len(writes) - len(failures) < self._enough:
                raise too_few(failures, key)
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    async def _record_missed(self, key: str, writes: Mapping[str, Write]) -> None:
        """When all writes have ended, write down which stores missed this one. Raises `StoreUnavailable`."""
        await asyncio.wait(writes.values())
        for name, write in writes.items():
            debt = Debt(store=name, key=key)
            if _failure(write) is not None and not self._copies.debts.recorded(debt):
                await self._repair.record(debt)

    def _go_on(self, work: Coroutine[object, object, object]) -> None:
        """Finish something after the answer was given; `aclose` waits for it."""
        task = asyncio.create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._behind.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a store is behind, and that could not be written down", exc_info=error)

    async def refresh(self) -> None:
        """Read from the stores who is behind on what, and bring it up to date. Raises `StoreUnavailable`."""
        await self._repair.pay_debts()

    async def repair(self) -> Repaired:
        """Bring every store that answers up to date with all others. Raises `StoreUnavailable`."""
        await self._repair.pay_debts()
        return await self._repair.copy_missing()

    async def keep_repairing(self, *, debts: float = 30.0, everything: float = 3600.0) -> None:
        """Until cancelled: `refresh` every `debts` seconds, `repair` every `everything` and when a store is back."""
        due, failures = 0.0, 0
        while True:
            now, failed = self._copies.seconds(), sum(copy.store.failures for copy in self._copies.all)
            back = failed != failures and not any(copy.store.open for copy in self._copies.all)
            try:
                if now >= due or back:
                    await self.repair()
                    due, failures = now + everything, failed
                else:
                    await self.refresh()
            except StoreUnavailable as error:
                log.warning("the stores cannot be repaired now: %s", error)
            await asyncio.sleep(debts)

    def stats(self) -> ReplicationStats:
        """What a service shows among its metrics."""
        copies = (
            CopyStats(
                name=copy.name,
                failures=copy.store.failures,
                owed=self._copies.debts.count(copy.name),
                open=copy.store.open,
            )
            for copy in self._copies.all
        )
        return ReplicationStats(elsewhere=self._elsewhere, mended=self._repair.mended, copies=tuple(copies))

    async def aclose(self) -> None:
        """Finish what goes on behind, which the time limits bound, then close every store."""
        while self._behind:
            await asyncio.wait(self._behind)
        await self._copies.finish()
        closing = [copy.store.aclose() for copy in self._copies.all]
        for error in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(error, BaseException):
                log.warning("a store did not close", exc_info=error)


def _check(key: str) -> None:
    if check_key(key).startswith(RECORDS):
        raise InvalidKey(f"keys that begin with {RECORDS} belong to the store itself", where=key)


def _failure(write: Write) -> StoreUnavailable | None:
    """Why a write failed; None for one that succeeded or has not ended."""
    if not write.done():
        return None
    error = write.exception()
    if error is not None and not isinstance(error, StoreUnavailable):
        raise error
    return error
