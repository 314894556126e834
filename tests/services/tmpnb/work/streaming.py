"""Half a gigabyte of work kept, restored and packed, by a process that tells how much memory that took."""

from __future__ import annotations

import asyncio
import random
import resource
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from amalthea.model.clock import system_clock
from amalthea.model.units import ByteSize
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.store.filesystem import FilesystemStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import work_at

FILES, SIZE = 64, 8 * 2**20


def peak() -> int:
    """The most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def stream(place: Path) -> tuple[int, int]:
    """How many bytes the archives have, and by how much the memory grew."""
    home, other = Directory(place / "home"), Directory(place / "other")
    chance = random.Random(1)
    for number in range(FILES):
        await home.write(f"{number:02}.bin", chance.randbytes(SIZE // 2) + bytes(SIZE // 2))
    store = await FilesystemStore.open(place / "store")
    work = work_at(store, system_clock, bounds=Bounds(total=ByteSize(2**30)), registry=CollectorRegistry())
    before, size = peak(), 0
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    assert snapshot.missed == []
    assert (await work.restore(snapshot, other)).size == FILES * SIZE
    for archive in (work.archive(snapshot), work.archive_home(home)):
        async for piece in archive:
            size += len(piece)
    await store.aclose()
    return size, peak() - before


if __name__ == "__main__":
    print(*asyncio.run(stream(Path(sys.argv[1]))))
