"""A clock that a test holds, the work of a site, and trees of files of any kind."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from amalthea.model.clock import Clock
from amalthea.model.store import ObjectStore
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.paths import directories
from amalthea.services.tmpnb.work.snapshot import Snapshot
from amalthea.services.tmpnb.work.work import Work
from tests.services.tmpnb.work.directory import Directory, Tree

START = datetime(2050, 1, 1, tzinfo=UTC)
"""Long after every time that a disk can tell in a test, so that all files are old."""


class HeldClock:
    """A clock that goes on when it is told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def work_at(
    store: ObjectStore,
    clock: Clock,
    *,
    site: str = "north",
    bounds: Bounds | None = None,
    registry: CollectorRegistry | None = None,
) -> Work:
    """What one process of a site has of the work of all sessions."""
    return Work(
        store,
        site=site,
        instruments=Instruments(registry or CollectorRegistry()),
        bounds=bounds or Bounds(),
        clock=clock,
        chance=random.Random(f"{site} {clock()}").randbytes,
    )


async def restored(work: Work, snapshot: Snapshot | None, place: Path) -> Tree:
    """A snapshot in a home of its own; nothing of it is lost."""
    assert snapshot is not None
    home = Directory(place)
    result = await work.restore(snapshot, home)
    assert result.lost == ()
    assert (result.files, result.size) == (len(snapshot.files), snapshot.size)
    return home.tree()


async def keys(store: ObjectStore, prefix: str = "") -> Sequence[str]:
    """What is in a store."""
    return [info.key async for info in store.list(prefix)]


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    """All pieces as one."""
    return b"".join([piece async for piece in pieces])


def unpacked(archive: bytes) -> Tree:
    """What is in a zip; Python finds nothing wrong with it."""
    with ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        return {info.filename: (file.read(info), bool(info.external_attr >> 16 & 0o100)) for info in file.infolist()}


_NAMES = st.sampled_from(["a", "b.ipynb", "c d", "über", "数据", "emoji 🐐.txt", ".hidden", "-n", "x" * 200])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_BODIES = st.binary(max_size=200) | st.sampled_from([b"", b"same", b"\0" * 70_000, bytes(range(256)) * 300])


def _possible(tree: Tree) -> Tree:
    """Without files that would be directories as well."""
    above = directories(tree)
    return {path: held for path, held in tree.items() if path not in above}


TREES: st.SearchStrategy[Tree] = st.dictionaries(_PATHS, st.tuples(_BODIES, st.booleans()), max_size=8).map(_possible)
