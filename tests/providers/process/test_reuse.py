"""A process number that is used again names another process: it is neither adopted nor signalled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from amalthea.model.workload import Workload
from amalthea.providers.process import ProcessProvider
from amalthea.providers.process.ending import end
from amalthea.providers.process.identity import Identity
from amalthea.providers.process.keeper import stat_of
from amalthea.providers.process.launch import Order, launch
from amalthea.providers.process.observation import Sighting
from tests.contracts.provider import example


@pytest.fixture
def stranger(directory: Path) -> Iterator[Sighting]:
    """A living process, as it would be seen if its number had been a program's a tick before its birth."""
    process = subprocess.Popen(["/bin/sleep", "600"], cwd="/", start_new_session=True)
    yield Sighting(
        pid=process.pid,
        born=int(stat_of(process.pid)[19]) - 1,
        group=process.pid,
        session=process.pid,
        frozen=False,
        keeper=False,
        program=True,
        identity=identity_of(example(), directory),
    )
    assert process.poll() is None, "it was signalled"
    process.kill()
    process.wait()


def identity_of(workload: Workload, directory: Path) -> Identity:
    return Identity(
        directory=str(directory),
        fleet="laptop",
        site="north",
        key=workload.key,
        name=workload.name,
        service=workload.service,
        ports={"http": 0},
    )


async def test_a_stranger_is_not_signalled(stranger: Sighting) -> None:
    looks = [[stranger], [msgspec.structs.replace(stranger, keeper=True)], []]
    await end(lambda: looks.pop(0), grace=0)


async def test_a_stranger_is_not_adopted(stranger: Sighting, directory: Path, provider: ProcessProvider) -> None:
    workload = example()
    log = directory / "one.log"
    with log.open("wb") as output:
        launch(
            Order(
                key=workload.key,
                argv=["/bin/sleep", "600"],
                environment={**identity_of(workload, directory).variables(), "AMALTHEA_ROLE": "keeper"},
                directory=str(directory),
                log=log,
                grace=1,
                outlives=False,
                adopt=stranger,
            ),
            output.fileno(),
        )
    keeper, child = (await provider.running())[workload.key].pids
    assert child != stranger.pid
    assert psutil.Process(child).ppid() == keeper
    assert os.getpgid(child) == child
