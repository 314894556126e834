"""Several ordered listings as one, without holding any of them whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from amalthea.model.errors import StoreUnavailable
from amalthea.model.store import ObjectInfo


class Union:
    """Gives, for one key after another, what each listing says of it.

    A listing that fails is left out from there on and noted in `failed`; whoever reads decides whether the
    rest is enough.
    """

    def __init__(self, listings: Mapping[str, AsyncIterator[ObjectInfo]]) -> None:
        self._listings = listings
        self._heads: dict[str, ObjectInfo] = {}
        self.failed: dict[str, StoreUnavailable] = {}

    async def __aiter__(self) -> AsyncIterator[dict[str, ObjectInfo]]:
        """What is known of the next key, by the name of the listing; names stay in their order."""
        await asyncio.gather(*(self._advance(name) for name in self._listings))
        while self._heads:
            key = min(info.key for info in self._heads.values())
            same = {name: self._heads[name] for name in self._listings if self._at(name, key)}
            yield same
            for name in same:
                await self._advance(name)

    def _at(self, name: str, key: str) -> bool:
        return name in self._heads and self._heads[name].key == key

    async def _advance(self, name: str) -> None:
        self._heads.pop(name, None)
        try:
            if (info := await anext(self._listings[name], None)) is not None:
                self._heads[name] = info
        except StoreUnavailable as error:
            self.failed[name] = error
