"""Sessions that take all they can get: they get their share, another session does not notice, and it shows."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from amalthea.model.spawner import Limits, Usage
from amalthea.model.units import ByteSize
from amalthea.providers.process.spawner import ProcessSpawner
from tests.providers.process.sandbox.conftest import SECONDS, Intruder, Neighbour, intruding

pytestmark = [pytest.mark.xdist_group("escapes"), pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

MIB = 1 << 20
SMALL = Limits(memory=ByteSize(192 * MIB), cpu=1.0, processes=48, disk=ByteSize(4 * MIB), files=200, open_files=256)


def need(spawner: ProcessSpawner, *names: str) -> None:
    missing = [wall for wall in spawner.guarantees() if wall.name in names and not wall.holds]
    if missing:
        pytest.skip(f"{missing[0].name}: {missing[0].detail}")


async def seen(spawner: ProcessSpawner, name: str, enough: Callable[[Usage], bool]) -> Usage:
    """What it uses, once it is enough."""
    async with asyncio.timeout(SECONDS):
        while not enough(used := await spawner.usage(name)):
            await asyncio.sleep(0.05)
    return used


async def test_a_fork_bomb_fills_its_own_session_alone_and_is_gone_when_that_is_stopped(
    spawner: ProcessSpawner, neighbour: Neighbour
) -> None:
    need(spawner, "pids", "cpu")
    async with intruding(spawner, limits=SMALL) as intruder:
        await intruder.tries("greed.fork_bomb", seconds=30)
        await seen(spawner, intruder.name, lambda used: (used.processes or 0) >= SMALL.processes - 2)
        await neighbour.is_served()
        used = await spawner.usage(intruder.name)
        assert used.processes is not None
        assert used.processes <= SMALL.processes
        async with asyncio.timeout(SECONDS):
            await spawner.stop(intruder.name)
        assert "stopped" in await spawner.ended(intruder.name)
        assert intruder.name not in await spawner.running()


async def test_who_takes_too_much_memory_loses_that_process_and_the_session_lives(
    spawner: ProcessSpawner, neighbour: Neighbour
) -> None:
    need(spawner, "memory")
    async with intruding(spawner, limits=SMALL) as intruder:
        await intruder.kernel.begin(f"from probes import greed; greed.swallow(most={512 * MIB})")
        await seen(spawner, intruder.name, lambda used: (used.kills or 0) > 0)
        await neighbour.is_served()
        assert (await intruder.visitor.ask("api/status")).status == 200


async def test_files_in_memory_count_as_memory(spawner: ProcessSpawner, neighbour: Neighbour) -> None:
    need(spawner, "memory", "disk")
    async with intruding(spawner, limits=SMALL) as intruder:
        await intruder.kernel.begin(f"from probes import greed; print(greed.filled('/tmp', most={240 * MIB}))")
        used = await seen(spawner, intruder.name, lambda used: (used.kills or 0) > 0)
        assert used.memory is not None
        assert SMALL.memory // 4 < used.memory <= SMALL.memory
        await neighbour.is_served()


async def test_a_home_takes_so_many_bytes_and_files_and_no_more(spawner: ProcessSpawner, neighbour: Neighbour) -> None:
    need(spawner, "disk")
    async with intruding(spawner, limits=SMALL) as intruder:
        taken, error = await intruder.tries("greed.filled", "/home/jovyan", most=64 * MIB)
        assert (error, taken <= SMALL.disk) == ("ENOSPC", True)
        used = await spawner.usage(intruder.name)
        assert used.disk is not None
        assert SMALL.disk - MIB < used.disk <= SMALL.disk
        count, error = await intruder.tries("greed.crowded", "/home/jovyan", most=1000)
        assert (error, count < SMALL.files) == ("ENOSPC", True)
        assert (await spawner.usage(intruder.name)).files == SMALL.files
        await neighbour.is_served()


async def test_every_other_place_to_write_to_is_small_as_well(spawner: ProcessSpawner, neighbour: Neighbour) -> None:
    need(spawner, "files")
    limits = msgspec.structs.replace(SMALL, memory=ByteSize(512 * MIB))
    free = shutil.disk_usage(Path(__file__)).free
    async with intruding(spawner, limits=limits) as intruder:
        for place, most in {"/run": 8, "/dev/shm": 80, "/var/tmp": 80}.items():
            taken, error = await intruder.tries("greed.filled", place, most=most * MIB)
            assert (place, error, taken < most * MIB) == (place, "ENOSPC", True)
        count, error = await intruder.tries("greed.crowded", "/tmp", most=50_000)
        assert (error, count < 50_000) == ("ENOSPC", True)
        await neighbour.is_served()
    assert abs(shutil.disk_usage(Path(__file__)).free - free) < 2048 * MIB  # others write to it meanwhile


async def test_a_process_has_so_many_descriptors_and_no_more(spawner: ProcessSpawner, neighbour: Neighbour) -> None:
    async with intruding(spawner, limits=SMALL) as intruder:
        count, error = await intruder.tries("greed.descriptors", most=10_000)
        assert (error, count < SMALL.open_files) == ("EMFILE", True)
        await neighbour.is_served()


async def test_who_spins_in_many_processes_has_its_quota_and_can_be_throttled(
    spawner: ProcessSpawner, neighbour: Neighbour
) -> None:
    need(spawner, "cpu")
    limits = msgspec.structs.replace(SMALL, cpu=0.5)
    async with intruding(spawner, limits=limits) as intruder:
        await intruder.tries("greed.spin", processes=8, seconds=20)
        assert await rate(spawner, intruder.name) < 0.9
        await spawner.throttle(intruder.name, cpu=0.1)
        assert await rate(spawner, intruder.name) < 0.4
        await neighbour.is_served()


async def rate(spawner: ProcessSpawner, name: str) -> float:
    before, began = (await spawner.usage(name)).cpu, time.monotonic()
    await asyncio.sleep(1)
    after, ended = (await spawner.usage(name)).cpu, time.monotonic()
    assert before is not None
    assert after is not None
    return (after - before) / (ended - began)


async def test_what_nobody_reads_from_sockets_is_bounded(spawner: ProcessSpawner, neighbour: Neighbour) -> None:
    need(spawner, "memory")
    limits = msgspec.structs.replace(SMALL, open_files=1024)
    async with intruding(spawner, limits=limits) as intruder:
        before = network_pages()
        # Nobody waits for an answer: where no memory is left for its sockets, its own kernel cannot send one.
        await intruder.kernel.begin(f"from probes import greed; greed.unread(connections=60, each={4 * MIB})")
        for _ in range(3):
            await neighbour.is_served()
            assert (network_pages() - before) * 4096 < limits.memory
            await asyncio.sleep(0.3)
        assert network_pages() - before > 1024  # there was something to bound


def network_pages() -> int:
    """Pages that TCP has, in all of the machine."""
    lines = Path("/proc/net/sockstat").read_text().splitlines()
    words = next(line for line in lines if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1])


async def test_a_kernel_that_was_killed_is_no_end(
    spawner: ProcessSpawner, neighbour: Neighbour, intruder: Intruder
) -> None:
    """The session of the one whose kernel dies of its own hand goes on."""
    async with intruder.visitor.kernel() as kernel:
        await kernel.begin("import os; os.kill(os.getpid(), 9)")
        assert (await intruder.visitor.ask("api/status")).status == 200
    await neighbour.is_served()
