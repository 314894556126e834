"""Create an object in several stores so that one writer wins; `replicated` says what is promised."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from amalthea.model.errors import ObjectExists, StoreUnavailable
from amalthea.store.copies import Copies, Copy
from amalthea.store.reading import too_few


class Creation:
    """One writer's attempt. The first store by name decides; the others then follow."""

    def __init__(self, copies: Copies, key: str, body: bytes, *, enough: int) -> None:
        self._copies = copies
        self._key = key
        self._body = body
        self._enough = enough
        self._made: dict[str, str] = {}
        self._failures: list[StoreUnavailable] = []

    async def run(self) -> str:
        """Return the etag of the nearest store that has it. Raises `ObjectExists`, `StoreUnavailable`."""
        behind = self._copies.owing(self._key)
        upright = [copy for copy in self._copies.all if copy not in behind]
        rest = await self._decide(sorted(upright, key=lambda copy: copy.name))
        taken = await asyncio.gather(*(self._create(copy) for copy in rest), *(self._replace(c) for c in behind))
        if any(taken):
            await self._withdraw()
            raise ObjectExists("there is an object under this key in another store", where=self._key)
        if len(self._made) < self._enough:
            await self._withdraw()
            raise too_few(self._failures, self._key)
        return next(self._made[copy.name] for copy in self._copies.all if copy.name in self._made)

    async def _decide(self, order: Sequence[Copy]) -> Sequence[Copy]:
        """Create it in the first store that answers; return those behind that one."""
        for position, copy in enumerate(order, start=1):
            if await self._create(copy, decisive=True):
                raise ObjectExists("there is an object under this key", where=self._key)
            if copy.name in self._made:
                return order[position:]
        raise too_few(self._failures, self._key)

    async def _create(self, copy: Copy, *, decisive: bool = False) -> bool:
        """Try one store; whether another object was in the way there.

        Behind the deciding store, an object with these very bytes is ours: a repair has copied it already.
        """
        put = partial(copy.store.put, self._key, self._body, if_absent=True)
        try:
            self._made[copy.name] = await self._copies.write(copy, self._key, put)
        except ObjectExists:
            return decisive or not await self._is_ours(copy)
        except StoreUnavailable as failure:
            self._failures.append(failure)
        return False

    async def _is_ours(self, copy: Copy) -> bool:
        try:
            ours = await copy.store.get(self._key) == self._body
        except StoreUnavailable as failure:
            self._failures.append(failure)
            return True  # not known to be somebody else's, and not counted as made
        if ours:
            self._made[copy.name] = ""
        return ours

    async def _replace(self, copy: Copy) -> bool:
        """What a store holds that is behind on this key is not in the way."""
        put = partial(copy.store.put, self._key, self._body)
        try:
            self._made[copy.name] = await self._copies.write(copy, self._key, put)
        except StoreUnavailable as failure:
            self._failures.append(failure)
        return False

    async def _withdraw(self) -> None:
        made = [copy for copy in self._copies.all if copy.name in self._made]
        removals = (self._copies.write(copy, self._key, partial(copy.store.delete, self._key)) for copy in made)
        await asyncio.gather(*removals, return_exceptions=True)  # a store that fails here owes the key
