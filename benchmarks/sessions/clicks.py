"""A fleet of its own with so many sessions, and the time from a click to a page and to a result, through the edge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import httpx2
import msgspec

from tests.system.laptop import Laptop, laptop
from tests.system.visitor import Link, Visitor

SERVICES = """
[services.tmpnb]
on = ["north"]
pool = {pool}
capacity = {capacity}
starts = 1000000
at_once = 1000
idle = "1 h"
{more}
"""
CAPACITY = 60
_FILLERS = 4
_SETTLE = 1.5


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One click: seconds to JupyterLab's page, and to the first output of a kernel that was asked for after that."""

    page: float
    output: float


class Place:
    """A fleet with one site. `links` are the sessions that live there, each with a kernel that has computed."""

    def __init__(self, fleet: Laptop) -> None:
        self.port = fleet.port
        self.links: list[Link] = []
        (row,) = (row for row in fleet.rows() if row["service"] == "tmpnb")
        self.admin: int = row["ports"]["admin"]

    async def grow(self, sessions: int) -> None:
        """Until so many live."""
        few = asyncio.Semaphore(_FILLERS)

        async def one() -> None:
            async with few, Visitor(self.port) as visitor:
                link = await visitor.spawn()
                await visitor.page(link)
                async with visitor.channels(link, await visitor.kernel(link)) as channels:
                    await channels.execute("1+1")
                self.links.append(link)

        await asyncio.gather(*(one() for _ in range(sessions - len(self.links))))
        await asyncio.sleep(_SETTLE)

    async def trials(self, count: int, *, pool: int) -> Sequence[Trial]:
        """One after the other; each ends its session."""
        found = []
        for _ in range(count):
            await self._refilled(pool)
            async with Visitor(self.port) as visitor, ended(visitor) as mine:
                found.append(await click(visitor, mine))
        return found

    async def burst(self, clicks: int, *, pool: int) -> Sequence[float]:
        """Seconds to the page of each of so many clicks at once."""
        await self._refilled(pool)

        async def one(visitor: Visitor, mine: list[Link]) -> float:
            began = time.perf_counter()
            mine.append(await visitor.click())
            await visitor.page(mine[-1])
            return time.perf_counter() - began

        async with AsyncExitStack() as stack:
            visitors = [await stack.enter_async_context(Visitor(self.port)) for _ in range(clicks)]
            lists = [await stack.enter_async_context(ended(visitor)) for visitor in visitors]
            return await asyncio.gather(*map(one, visitors, lists))

    async def _refilled(self, pool: int) -> None:
        """Until the pool is as full as it gets, and whatever ended before has gone."""
        async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
            for _ in range(200):
                told = (await client.get(f"http://127.0.0.1:{self.admin}/-/sessions")).json()
                if told["ready"] == pool and len(told["sessions"]) == len(self.links):
                    break
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)


async def click(visitor: Visitor, mine: list[Link]) -> Trial:
    """Click, look at the page, start a kernel, and have it compute."""
    began = time.perf_counter()
    link = await visitor.click()
    mine.append(link)
    await visitor.page(link)
    page = time.perf_counter() - began
    async with visitor.channels(link, await visitor.kernel(link)) as channels:
        result = await channels.first_output("1+1")
        output = time.perf_counter() - began
    if result != "2":
        raise RuntimeError(f"1+1 is {result} there")
    return Trial(page=page, output=output)


@asynccontextmanager
async def ended(visitor: Visitor) -> AsyncIterator[list[Link]]:
    """Sessions that end with the block."""
    mine: list[Link] = []
    try:
        yield mine
    finally:
        for link in mine:
            await visitor.end(link)


@contextmanager
def place(*, pool: int, more: str = "") -> Iterator[Place]:
    """A fleet that runs, with a site that is empty but for its pool; `more` are more settings."""
    services = SERVICES.format(pool=pool, capacity=CAPACITY, more=more.replace("{", "{{").replace("}", "}}"))
    with laptop(services=services) as fleet:
        fleet.run("apply")
        fleet.until({"try": 200}, seconds=30)
        yield Place(fleet)
        fleet.run("down")
