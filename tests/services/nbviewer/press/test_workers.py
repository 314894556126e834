"""Workers are killed, starved and fed too much; visitors get an answer all the same."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from prometheus_client import CollectorRegistry

from amalthea.model.fleet import Names
from amalthea.model.units import ByteSize, Duration
from amalthea.services.nbviewer.errors import Busy, TooHard
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.press.packing import unpack
from amalthea.services.nbviewer.press.work import Job, Kind
from amalthea.services.nbviewer.press.workers import Terms, Workers
from amalthea.services.nbviewer.render import NotANotebook, Options
from amalthea.services.nbviewer.source import Chrome
from tests.services.nbviewer.conftest import notebook

GIB = 2**30


@asynccontextmanager
async def pool(*, count: int = 1, waiting: int = 8, seconds: float = 15, memory: int = GIB) -> AsyncIterator[Workers]:
    terms = Terms(count=count, waiting=waiting, seconds=Duration(seconds), memory=ByteSize(memory))
    workers = Workers(Names(domain="example.org"), terms, Instruments(CollectorRegistry()))
    try:
        yield workers
    finally:
        await workers.aclose()


def job(source: bytes) -> Job:
    return Job(kind=Kind.HTML, sources=(source,), chrome=Chrome(name="a.ipynb"), options=Options())


def endless() -> bytes:
    """A notebook that takes minutes to render."""
    return notebook(*("*a **b _c_ `d` [e](f) | g |\n" * 4000 for _ in range(400)))


async def until_busy(pid: int) -> None:
    """Wait until a process has begun to use the processor."""
    process = psutil.Process(pid)
    before = process.cpu_times().user
    while process.cpu_times().user < before + 0.05:
        await asyncio.sleep(0.01)


async def test_a_worker_makes_a_page() -> None:
    async with pool() as workers:
        made = await workers.make(job(notebook("# Hello")))
    assert "Hello" in unpack(made.packed).decode()


async def test_what_is_no_notebook_is_refused_and_the_worker_lives() -> None:
    async with pool() as workers:
        with pytest.raises(NotANotebook):
            await workers.make(job(b"this is not JSON"))
        first = workers.pids
        await workers.make(job(notebook("# Hello")))
        assert workers.pids == first


async def test_a_worker_that_has_just_been_given_up_does_not_outlive_the_pool() -> None:
    async with pool(seconds=0.5) as workers:
        await workers.make(job(notebook("# Hello")))
        (given_up,) = workers.pids
        with pytest.raises(TooHard):
            await workers.make(job(endless()))
    assert not psutil.pid_exists(given_up)


async def test_a_second_worker_starts_when_there_is_work_for_it() -> None:
    async with pool(count=2) as workers:
        await workers.make(job(notebook("one")))
        assert len(workers.pids) == 1
        await asyncio.gather(*(workers.make(job(notebook(*["x"] * 500))) for _ in range(4)))
        assert len(workers.pids) == 2


async def test_a_job_whose_worker_is_killed_from_outside_is_done_by_another() -> None:
    async with pool() as workers:
        await workers.make(job(notebook("warm")))
        (pid,) = workers.pids
        making = asyncio.create_task(workers.make(job(notebook(*["*a* `b`\n" * 50] * 3000))))
        await until_busy(pid)
        os.kill(pid, signal.SIGKILL)
        assert (await making).packed.size
        assert pid not in workers.pids


async def test_an_endless_job_is_ended_in_time_and_the_next_is_done() -> None:
    async with pool(seconds=1.5) as workers:
        await workers.make(job(notebook("warm")))
        (pid,) = workers.pids
        with pytest.raises(TooHard, match=r"longer than 1\.5 s"):
            await workers.make(job(endless()))
        assert (await workers.make(job(notebook("# Next")))).packed.size
        assert not psutil.pid_exists(pid)


async def test_a_job_that_wants_too_much_memory_is_ended_and_the_next_is_done() -> None:
    async with pool(memory=200 * 2**20, seconds=30) as workers:
        with pytest.raises(TooHard):
            await workers.make(job(endless()))
        assert (await workers.make(job(notebook("# Next")))).packed.size


async def test_whoever_finds_the_queue_full_is_told_to_come_back() -> None:
    async with pool(waiting=0) as workers:
        making = asyncio.create_task(workers.make(job(notebook("one"))))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workers.make(job(notebook("two")))
        await making


async def test_a_worker_knows_no_secret_of_its_parent() -> None:
    async with pool() as workers:
        await workers.make(job(notebook("one")))
        (pid,) = workers.pids
        assert set(psutil.Process(pid).environ()) <= {"PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_CTYPE"}


async def test_no_worker_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(program), stdout=asyncio.subprocess.PIPE, env=environment()
    )
    assert parent.stdout is not None
    pids = json.loads(await parent.stdout.readline())
    (busy,) = pids
    await until_busy(busy)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            await asyncio.sleep(0.02)


def environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


PARENT = """
import asyncio, json
from tests.services.nbviewer.press.test_workers import endless, job, notebook, pool

async def main():
    async with pool(seconds=60) as workers:
        await workers.make(job(notebook("warm")))
        print(json.dumps(workers.pids), flush=True)
        await workers.make(job(endless()))

asyncio.run(main())
"""
