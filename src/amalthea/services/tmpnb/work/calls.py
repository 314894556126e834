"""Calls of a store that may never answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import TypeVar, cast

from amalthea.model.errors import StoreUnavailable
from amalthea.model.store import ObjectInfo, ObjectStore

T = TypeVar("T")


async def within(patience: float, call: Awaitable[T]) -> T:
    """What the call returns. Raises `StoreUnavailable` after `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            return await call
    except TimeoutError:
        raise StoreUnavailable(f"the store gave no answer within {patience:g} s") from None


async def listed(store: ObjectStore, prefix: str, *, patience: float) -> AsyncIterator[ObjectInfo]:
    """The listing; `patience` is for each next object."""
    async with aclosing(cast("AsyncGenerator[ObjectInfo, None]", store.list(prefix))) as listing:
        while (info := await within(patience, anext(listing, None))) is not None:
            yield info
