"""Many sessions at work at once, for a while: no connection is dropped, no answer is lost, and nothing stays behind.

AMALTHEA_SOAK_SECONDS says for how long, AMALTHEA_SOAK_SESSIONS how many there are at the most.
"""

from __future__ import annotations

import asyncio
import os
import random
import time

import msgspec
import psutil
import pytest

from tests.system.laptop import laptop
from tests.system.remains import service, until
from tests.system.visitor import Channels, Visitor

pytest.importorskip("jupyterlab", reason="sessions need amalthea[tmpnb]")
pytestmark = [pytest.mark.system, pytest.mark.slow]

SERVICES = """
[services.tmpnb]
on = ["north"]
capacity = 60
starts = 1000
at_once = 100
"""
SECONDS = float(os.environ.get("AMALTHEA_SOAK_SECONDS", "30"))
MOST = int(os.environ.get("AMALTHEA_SOAK_SESSIONS", "50"))
SESSION = 120 << 20
"""Bytes that a machine needs for each session, with room for what else runs on it."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a service holds; connections that the edge keeps for the next visitors are not counted."""

    descriptors: int
    memory: int
    processes: int


def held(process: psutil.Process) -> Held:
    return Held(
        descriptors=process.num_fds() - len(process.net_connections("tcp")),
        memory=process.memory_full_info().uss,
        processes=len(process.children(recursive=True)),
    )


async def worked(port: int, few: asyncio.Semaphore, begin: asyncio.Event) -> int:
    """One visitor, who runs a cell every second or so over one connection; how many answered, each rightly."""
    async with Visitor(port) as visitor:
        async with few:
            link = await visitor.spawn()
            kernel = await visitor.kernel(link)
        try:
            async with visitor.channels(link, kernel) as channels:
                await channels.execute("total = 0")
                await begin.wait()
                return await _steady(channels)
        finally:
            await visitor.end(link)


async def _steady(channels: Channels) -> int:
    answers, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        answers += 1
        told = await channels.execute("total += 1; print('x' * 2000); print(total)")
        assert told.startswith("x" * 2000)
        assert await channels.execute("total") == str(answers)
        await asyncio.sleep(random.uniform(0.7, 1.3))
    return answers


async def test_sessions_at_work_lose_no_connection_and_no_answer_and_leave_nothing_behind() -> None:
    sessions = min(MOST, psutil.virtual_memory().available // SESSION)
    with laptop(services=SERVICES) as fleet:
        fleet.run("apply")
        fleet.until({"try": 200}, seconds=60)
        async with Visitor(fleet.port) as visitor:
            await visitor.end(await visitor.spawn())
        process = service(fleet)
        await asyncio.sleep(3)
        before = held(process)
        few, begin = asyncio.Semaphore(4), asyncio.Event()
        tasks = [asyncio.create_task(worked(fleet.port, few, begin)) for _ in range(sessions)]
        async with Visitor(fleet.port) as visitor:
            while (await visitor.client.get("/api/capacity")).json()["sessions"] < sessions:
                assert not any(task.done() for task in tasks)
                await asyncio.sleep(0.5)
        begin.set()
        answers = await asyncio.gather(*tasks)
        assert min(answers) >= SECONDS / 5
        until(lambda: held(process).processes <= before.processes, seconds=60)
        await asyncio.sleep(3)
        after = held(process)
        print(f"{sessions} sessions, {sum(answers)} cells; before {before}, after {after}")
        assert after.descriptors <= before.descriptors + 5
        assert after.memory <= before.memory + sessions * (1 << 20)
        fleet.run("down")
