"""A writer is killed at random points: what it was told is kept is there, and no part of an object ever is."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from contextlib import suppress
from datetime import timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from amalthea.model.clock import system_clock
from amalthea.store.filesystem import FilesystemStore
from tests.contracts.store import listed_keys
from tests.store.crashing import body, version_of, write_until_killed


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Makes processes in a few milliseconds, with everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.crashing"])
    return context


def _acknowledged_before_the_kill(forks: ForkServerContext, directory: Path, name: str, *, after: float) -> list[str]:
    """Let a process write for `after` seconds from its first acknowledgement on, then kill it."""
    told = list[str]()
    receiving, sending = forks.Pipe(duplex=False)
    writer = forks.Process(target=write_until_killed, args=(directory, name, sending))
    writer.start()
    sending.close()
    with receiving, suppress(EOFError):
        told.append(receiving.recv_bytes().decode())
        time.sleep(after)
        writer.kill()
        while True:
            told.append(receiving.recv_bytes().decode())
    writer.join()
    writer.close()
    return told


async def _check(store: FilesystemStore, name: str, told: list[str]) -> None:
    acknowledged = {key: int(version) for key, version in (line.split() for line in told)}
    found = {key: await store.get(key) for key in await listed_keys(store, name + "/")}
    assert acknowledged.keys() <= found.keys()
    for key, held in found.items():
        version = version_of(held)
        assert held == body(key, version)
        assert version >= acknowledged.get(key, 0)


async def _kill_and_check(forks: ForkServerContext, directory: Path, *, rounds: int) -> None:
    chance = random.Random(20161213)
    store = await FilesystemStore.open(directory)
    for number in range(rounds):
        name = f"round-{number}"
        told = _acknowledged_before_the_kill(forks, directory, name, after=chance.uniform(0, 0.05))
        assert told
        await _check(store, name, told)
    await store.aclose()
    later = await FilesystemStore.open(directory, clock=lambda: system_clock() + timedelta(hours=2))
    await later.aclose()
    assert os.listdir(directory / ".tmp") == []


async def test_nothing_acknowledged_is_lost_and_nothing_partial_is_readable(
    forks: ForkServerContext, tmp_path: Path
) -> None:
    await _kill_and_check(forks, tmp_path, rounds=30)


@pytest.mark.slow
async def test_that_a_few_hundred_times(forks: ForkServerContext, tmp_path: Path) -> None:
    await _kill_and_check(forks, tmp_path, rounds=300)
