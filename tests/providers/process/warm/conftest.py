"""One spawner for all tests of a module: to open one takes a second."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from amalthea.model.spawner import Environment
from amalthea.providers.process.spawner import ProcessSpawner

pytest.importorskip("jupyterlab", reason="sessions need amalthea[tmpnb]")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory with a short path, for the path of a socket has few bytes."""
    with tempfile.TemporaryDirectory(prefix="w-") as name:
        yield Path(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spawner(place: Path, request: pytest.FixtureRequest) -> AsyncIterator[ProcessSpawner]:
    """An open one, with walls unless the module says otherwise."""
    environment = Environment(name="base", python=sys.executable)
    walls = getattr(request.module, "WALLS", True)
    opened = await ProcessSpawner.open(place / "sessions", [environment], walls=walls)
    yield opened
    await opened.aclose()
