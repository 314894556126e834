"""Make the copies equal again: pay debts, copy what is missing.

Whatever a repair writes goes through `Copies.write`, behind the writes that this process has asked for, and
looks at its source only then. A repair never replaces an object, except where a store is known to be behind.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import msgspec

from amalthea.model.errors import InvalidKey, ObjectExists, ObjectMissing, StoreError, StoreUnavailable
from amalthea.model.store import check_key
from amalthea.store.copies import Copies, Copy, Unchanged
from amalthea.store.debts import RECORDS, Debt
from amalthea.store.reading import find, too_few
from amalthea.store.union import Union

log = logging.getLogger(__name__)


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """One pass: how many keys it saw, how many copies it made, and the stores that it could not read to the end."""

    seen: int
    copied: int
    failed: tuple[str, ...]


class Repair:
    """Repairs `copies`. A debt's record is dropped `settled_after` seconds after it was paid, or later."""

    def __init__(self, copies: Copies, *, enough: int, settled_after: float) -> None:
        self._copies = copies
        self._enough = enough
        self._settled_after = settled_after
        self._records: dict[str, Debt] = {}
        self.mended = 0

    async def record(self, debt: Debt) -> None:
        """Write a debt down in the other stores. Raises `StoreUnavailable` when too few take it."""
        name, body = debt.record(), msgspec.json.encode(debt)
        others = [copy for copy in self._copies.all if copy.name != debt.store]
        results = await asyncio.gather(*(copy.store.put(name, body) for copy in others), return_exceptions=True)
        failures = [result for result in results if isinstance(result, StoreUnavailable)]
        if len(others) - len(failures) < self._enough:
            raise too_few(failures, name)
        self._copies.debts.add(debt, name)

    async def pay_debts(self) -> None:
        """Read the records, drop those of debts long paid, bring the stores that are behind up to date."""
        await self._read_records()
        settled = self._copies.debts.paid_before(self._copies.seconds() - self._settled_after)
        for record, debt in settled.items():
            await self._drop(record, debt)
        for copy in self._copies.all:
            await self._pay(copy)

    async def _read_records(self) -> None:
        listings = Union({copy.name: copy.store.list(RECORDS) for copy in self._copies.all})
        found: dict[str, Debt] = {}
        async for infos in listings:
            name, info = next(iter(infos.items()))
            debt = self._records.get(info.key) or await self._read_record(info.key, self._copies.by_name[name])
            if debt is not None and debt.store in self._copies.by_name:
                found[info.key] = debt
        if len(listings.failed) >= self._enough:
            raise too_few(list(listings.failed.values()), RECORDS)
        self._records = found
        self._copies.debts.refresh(found)

    async def _read_record(self, record: str, copy: Copy) -> Debt | None:
        try:
            debt = msgspec.json.decode(await copy.store.get(record), type=Debt)
            check_key(debt.key)
        except (StoreUnavailable, ObjectMissing):  # another copy of it, or the next pass, will do
            return None
        except (msgspec.DecodeError, InvalidKey) as error:
            log.warning("this record of a missed write cannot be read: %s", error, extra={"key": record})
            return None
        return debt

    async def _pay(self, copy: Copy) -> None:
        for debt in self._copies.debts:
            if debt.store == copy.name:
                try:
                    await self._copies.write(copy, debt.key, partial(self._catch_up, copy, debt.key))
                except Unchanged:
                    continue
                except StoreUnavailable:
                    return  # it is still away

    async def _catch_up(self, copy: Copy, key: str) -> None:
        if self._copies.writing(key, besides=copy):
            raise Unchanged
        body = await self._truth(copy, key)
        if body is None:
            await copy.store.delete(key)
        else:
            await copy.store.put(key, body)

    async def _truth(self, copy: Copy, key: str) -> bytes | None:
        others = [other for other in self._copies.current(key) if other is not copy]
        return (await find(key, others, enough=self._enough)).body

    async def _drop(self, record: str, debt: Debt) -> None:
        copy = self._copies.by_name[debt.store]
        try:
            mine = (await find(debt.key, [copy], enough=self._enough)).body
            same = mine == await self._truth(copy, debt.key)
        except StoreUnavailable:
            return
        if not same:
            self._copies.debts.unsettle(record)
            return
        deletions = (copy.store.delete(record) for copy in self._copies.all)
        await asyncio.gather(*deletions, return_exceptions=True)  # where one fails, the next pass finds it again

    async def copy_missing(self) -> Repaired:
        """Copy every object to the stores that lack it."""
        listings = Union({copy.name: copy.store.list() for copy in self._copies.all})
        seen = copied = 0
        async for infos in listings:
            key = next(iter(infos.values())).key
            if key.startswith(RECORDS):
                continue
            seen += 1
            upright = [c for c in self._copies.current(key) if c.name not in listings.failed]
            holding = [c for c in upright if c.name in infos]
            for copy in upright if holding else ():
                if copy.name not in infos:
                    copied += await self.mend(copy, key, source=holding[0])
        return Repaired(seen=seen, copied=copied, failed=tuple(listings.failed))

    async def mend(self, copy: Copy, key: str, *, source: Copy) -> bool:
        """Copy one object to a store that lacks it; whether that was done."""
        try:
            await self._copies.write(copy, key, partial(self._copy, copy, key, source))
        except (Unchanged, StoreError):  # a store that fails here owes the key from now on
            return False
        self.mended += 1
        return True

    async def _copy(self, copy: Copy, key: str, source: Copy) -> None:
        if self._copies.writing(key, besides=copy) or Debt(store=copy.name, key=key) in self._copies.debts:
            raise Unchanged
        try:
            await copy.store.put(key, await source.store.get(key), if_absent=True)
        except (ObjectMissing, ObjectExists):
            raise Unchanged from None
        if not await _holds(source, key):  # deleted meanwhile, by another process
            await copy.store.delete(key)


async def _holds(copy: Copy, key: str) -> bool:
    async for info in copy.store.list(key):
        return info.key == key
    return False
