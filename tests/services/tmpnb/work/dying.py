"""A store whose user dies after so many puts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from amalthea.model.errors import StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore


class DyingStore:
    """`left` puts succeed, then none; None is without end."""

    def __init__(self, inner: ObjectStore) -> None:
        self.inner = inner
        self.left: int | None = None

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        if self.left is not None:
            if not self.left:
                raise StoreUnavailable("dead", where=key)
            self.left -= 1
        return await self.inner.put(key, body, if_absent=if_absent)

    async def get(self, key: str) -> bytes:
        return await self.inner.get(key)

    async def delete(self, key: str) -> None:
        await self.inner.delete(key)

    def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        return self.inner.list(prefix, after=after)

    async def aclose(self) -> None:
        await self.inner.aclose()
