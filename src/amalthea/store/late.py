"""A store that is opened when it can be, so that one that is away does not keep a site from starting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from amalthea.model.errors import AmaltheaError, StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore


class LateStore:
    """What `opener` gives, asked for by the first call and, while it fails, by each later one.

    Until it is open every call raises `StoreUnavailable`. `name` is for messages.
    """

    def __init__(self, opener: Callable[[], Awaitable[ObjectStore]], *, name: str) -> None:
        self._opener = opener
        self._name = name
        self._opened: ObjectStore | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> ObjectStore:
        """The store itself. Raises what its opener raises."""
        async with self._opening:
            if self._opened is None:
                self._opened = await self._opener()
            return self._opened

    async def _store(self) -> ObjectStore:
        try:
            return await self.open()
        except AmaltheaError as error:
            raise StoreUnavailable(error.message, where=self._name, hint=error.hint) from error

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put`."""
        return await (await self._store()).put(key, body, if_absent=if_absent)

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return await (await self._store()).get(key)

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        await (await self._store()).delete(key)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        async for info in (await self._store()).list(prefix, after=after):
            yield info

    async def aclose(self) -> None:
        """Close the store if it was ever opened."""
        if self._opened is not None:
            await self._opened.aclose()
