"""What a spawner does where it is not let at the processes of its containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("docker"), pytest.mark.slow]

WAYS = {
    "a user who may not look into others' processes": ("setpriv", "--bounding-set=-sys_ptrace"),
    "a process namespace that is not the engine's": ("unshare", "--pid", "--fork", "--mount-proc"),
}

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment
from amalthea.providers.docker import DockerSpawner
from tests.providers.docker.visiting import get, order

async def main(directory, engine, image):
    environments = [Environment(name="base", image=image)]
    spawner = await DockerSpawner.open(
        directory=directory, owner="laptop/apart", environments=environments, engine=engine
    )
    try:
        session = await spawner.start(order("ada"))
        home = spawner.home("ada")
        await home.write("work/a.py", b"of hours", executable=True)
        running = [one.path for one in await home.scan()]
        usage = await spawner.usage("ada")
        try:
            await home.write("a/../b", b"")
        except ProviderError as error:
            refused = error.message
        status, _, _ = await get(session, "api/status")
        egress = spawner.egress("ada")
        await spawner.stop("ada")
        kept = [[one.path, one.executable, (await home.read(one.path, most=8)).decode()] for one in await home.scan()]
        walls = {one.name: [one.holds, one.detail] for one in spawner.guarantees()}
        said = dict(status=status, running=running, memory=usage.memory, refused=refused, egress=egress, kept=kept)
        print(json.dumps({**said, "walls": walls}))
    finally:
        await spawner.aclose()

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


@pytest.fixture(scope="module", params=WAYS)
def said(request: pytest.FixtureRequest, engine: str, notebook: str) -> Iterator[dict[str, Any]]:
    """What the program found."""
    wrapper = WAYS[request.param]
    if os.geteuid() != 0 or shutil.which(wrapper[0]) is None:
        pytest.skip("takes root, to give some of it up")
    with tempfile.TemporaryDirectory(prefix="amalthea-") as directory:
        argv = [*wrapper, sys.executable, "-c", PROGRAM, directory, engine, notebook]
        ran = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        yield json.loads(ran.stdout)
        assert not list(Path(directory).iterdir())


def test_sessions_answer_all_the_same(said: dict[str, Any]) -> None:
    assert said["status"] == 200
    assert said["memory"] > 2**20


def test_files_are_reached_by_way_of_the_engine_and_kept_when_it_is_stopped(said: dict[str, Any]) -> None:
    assert said["running"] == ["work/a.py"]
    assert said["kept"] == [["work/a.py", True, "of hours"]]
    assert "no path below a home" in said["refused"]


def test_there_is_no_way_out_and_the_guarantees_say_so(said: dict[str, Any]) -> None:
    assert said["egress"] is None
    for name in ("network", "disk"):
        assert "root" in said["walls"][name][1]


def test_the_walls_stand_all_the_same(said: dict[str, Any]) -> None:
    assert not [name for name, (holds, _) in said["walls"].items() if not holds]
