"""How a spawner opens: what it needs, what it finds, and what it says when something is missing."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment
from amalthea.providers.docker import DockerSpawner
from tests.providers.docker.conftest import OWNER, docker
from tests.providers.docker.registry import registry
from tests.providers.docker.visiting import get, order

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("docker"), pytest.mark.slow]

ABANDONED = """
import asyncio, os, signal, sys
from pathlib import Path
from amalthea.model.spawner import Environment
from amalthea.providers.docker import DockerSpawner
from tests.providers.docker.registry import registry
from tests.providers.docker.visiting import order

async def main(directory, owner, engine, image):
    environments = [Environment(name="base", image=image)]
    spawner = await DockerSpawner.open(directory=directory, owner=owner, environments=environments, engine=engine)
    print((await spawner.start(order("orphan"))).address, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


async def opened(directory: Path, engine: str, *images: str) -> DockerSpawner:
    environments = [Environment(name=f"environment-{n}", image=image) for n, image in enumerate(images)]
    return await DockerSpawner.open(directory=directory, owner=OWNER, environments=environments, engine=engine)


async def test_an_engine_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="does not answer") as caught:
        await opened(tmp_path, f"unix://{tmp_path}/no.sock")
    assert "DOCKER_HOST" in caught.value.hint


async def test_an_engine_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="on this machine"):
        await opened(tmp_path, "tcp://127.0.0.1:2375")


async def test_an_image_that_cannot_be_had_is_an_error_that_names_it(engine: str, directory: Path) -> None:
    with pytest.raises(ProviderError, match="cannot be pulled") as caught:
        await opened(directory, engine, "127.0.0.1:1/no/such:image")
    assert caught.value.where == "127.0.0.1:1/no/such:image"


async def test_an_image_that_is_not_here_is_pulled_and_its_progress_told(engine: str, directory: Path) -> None:
    told: list[str] = []
    with registry() as address:
        image = f"{address}/lab/notebook:1"
        environments = [Environment(name="base", image=image)]
        with pytest.raises(ProviderError, match="has no python3"):
            await DockerSpawner.open(
                directory=directory, owner=OWNER, environments=environments, engine=engine, progress=told.append
            )
    docker(engine, "rmi", image)
    assert any("Pull complete" in line or "Downloaded newer image" in line for line in told), told


async def test_an_image_without_jupyter_is_an_error_that_names_it(engine: str, directory: Path, plain: str) -> None:
    with pytest.raises(ProviderError, match="has no jupyterlab") as caught:
        await opened(directory, engine, plain)
    assert caught.value.where == plain


async def test_an_environment_without_an_image_is_an_error(engine: str, directory: Path) -> None:
    with pytest.raises(ProviderError, match="names no image"):
        await opened(directory, engine, "")


async def test_what_a_killed_process_left_is_removed_and_a_living_ones_is_not(
    engine: str, directory: Path, notebook: str, spawner: DockerSpawner
) -> None:
    living = await spawner.start(order("living"))
    argv = [sys.executable, "-c", ABANDONED, str(directory), OWNER, engine, notebook]
    killed = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    orphan = Path(killed.stdout.strip().removeprefix("unix:"))
    assert stat.S_ISSOCK(os.lstat(orphan).st_mode)
    after = await opened(directory, engine)
    try:
        assert not orphan.parent.exists()
        assert (await get(living, "api/status"))[0] == 200
        assert await after.running() == {}
    finally:
        await after.aclose()


async def test_a_closed_spawner_leaves_nothing_and_starts_nothing(engine: str, directory: Path, notebook: str) -> None:
    before = set(directory.iterdir())  # noqa: ASYNC240
    spawner = await opened(directory, engine, notebook)
    await spawner.aclose()
    await spawner.aclose()
    assert set(directory.iterdir()) == before  # noqa: ASYNC240
    with pytest.raises(ProviderError, match="closed"):
        await spawner.start(order("late"))
