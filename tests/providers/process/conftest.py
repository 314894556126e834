"""A provider with a directory of its own, and the promise that no process of it is left."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from amalthea.model.units import Duration
from amalthea.providers.process import ProcessProvider

EXAMPLE = Path(__file__).with_name("example.py")
PROGRAMS = {"amalthea": (sys.executable, str(EXAMPLE))}


def processes_of(directory: Path) -> list[psutil.Process]:
    """Every process whose environment, working directory or command names `directory`: not the provider's own view."""
    found = []
    for one in psutil.process_iter():
        try:
            words = [*one.environ().values(), one.cwd(), *one.cmdline()]
        except psutil.Error:
            continue
        if one.pid != os.getpid() and any(str(directory) in word for word in words):
            found.append(one)
    return found


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where the fleet's things are. Kills what a failed test left; a test that left something fails."""
    place = tmp_path / "fleet"
    place.mkdir()
    yield place
    deadline = time.monotonic() + 3
    while (left := processes_of(place)) and time.monotonic() < deadline:
        time.sleep(0.02)
    names = [" ".join(one.cmdline()) for one in left if one.is_running()]
    for one in left:
        os.kill(one.pid, signal.SIGKILL)
    assert not left, f"left running: {names}"


@pytest.fixture
async def provider(directory: Path) -> AsyncIterator[ProcessProvider]:
    """The site `north`, which ends with the test."""
    opened = ProcessProvider("north", directory=directory, fleet="laptop", programs=PROGRAMS)
    yield opened
    for key in await opened.running():
        await opened.stop(key, grace=Duration(1))
    await opened.aclose()
