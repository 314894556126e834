"""A running tmpnb over plain sessions, and the clock in the test's hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import Site, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path, for the path of a socket has few bytes."""
    found = Path(tempfile.mkdtemp(prefix="p-"))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture
async def site(place: Path, store: MemoryStore, clock: HeldClock) -> AsyncIterator[Site]:
    """With nothing set but the size of its pool: there is none."""
    async with tmpnb(place, store=store, clock=clock, pool=0) as made:
        yield made
