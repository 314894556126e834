"""Much to do, a little of it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def in_turns(work: Callable[[T], Awaitable[None]], items: Iterable[T], *, workers: int) -> None:
    """Do `work` for each item, for so many at once. Raises the first error, when nothing is under way any more."""
    waiting = iter(items)

    async def one_by_one() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(one_by_one())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
