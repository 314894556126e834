"""The process that keeps the work is killed: what was kept before can be had."""

from __future__ import annotations

import multiprocessing
import random
import time
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from amalthea.model.clock import system_clock
from amalthea.store.filesystem import FilesystemStore
from tests.services.tmpnb.work.crashing import keep_until_killed, text
from tests.services.tmpnb.work.directory import Tree
from tests.services.tmpnb.work.scenes import keys, restored, work_at

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Makes processes in a few milliseconds, with everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.services.tmpnb.work.crashing"])
    return context


def killed(forks: ForkServerContext, place: Path, *, held: bool, after: float = 0.0) -> list[bytes]:
    """What a process told until it was killed, so many seconds after the second thing that it told."""
    told = list[bytes]()
    receiving, sending = forks.Pipe(duplex=False)
    process = forks.Process(target=keep_until_killed, args=(place, sending, held))
    process.start()
    sending.close()
    with receiving, suppress(EOFError):
        told += [receiving.recv_bytes(), receiving.recv_bytes()]
        time.sleep(after)
        process.kill()
        while True:
            told.append(receiving.recv_bytes())
    process.join()
    process.close()
    return told


async def newest(place: Path, into: Path) -> Tree:
    store = await FilesystemStore.open(place / "store")
    work = work_at(store, system_clock, site="south")
    tree = await restored(work, await work.newest("s"), into)
    await store.aclose()
    return tree


def tree_of(version: int) -> Tree:
    return {f"file-{number}": (text(number, version), False) for number in range(5)}


async def test_killed_between_the_blobs_and_their_manifest_the_snapshot_before_is_whole(
    forks: ForkServerContext, tmp_path: Path
) -> None:
    assert killed(forks, tmp_path, held=True) == [b"1", b"all blobs are there"]
    assert await newest(tmp_path, tmp_path / "other") == tree_of(1)
    store = await FilesystemStore.open(tmp_path / "store")
    assert len(await keys(store, "tmpnb/work/s/blob/")) == 10
    await store.aclose()


async def test_killed_at_any_moment_the_newest_snapshot_is_whole(forks: ForkServerContext, tmp_path: Path) -> None:
    chance = random.Random(20161213)
    for number in range(4):
        place = tmp_path / str(number)
        told = [int(version) for version in killed(forks, place, held=False, after=chance.uniform(0, 0.1))]
        assert await newest(place, place / "other") in (tree_of(told[-1]), tree_of(told[-1] + 1))
