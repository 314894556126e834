"""An engine, images of this machine's own files, and one spawner that all tests of a run share.

To open a spawner takes a trial session, so a test that does not close it gets the one that is open.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from amalthea.model.spawner import Environment, Spawned
from amalthea.providers.docker import DockerSpawner
from tests.providers.docker import daemon, image
from tests.providers.docker.visiting import order

OWNER = f"laptop/north-{os.getpid()}"
SETTINGS = ("ENV PATH=/opt/jupyter/bin:/bin", "USER jovyan:users", "VOLUME /data", "CMD /bin/sleep 1000")

Tenant = Callable[..., str]


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The address of an engine."""
    if address := daemon.answering():
        yield address
    elif daemon.can_start():
        with ExitStack() as stack:
            try:
                address = stack.enter_context(daemon.started())
            except daemon.Unstartable as error:
                pytest.skip(str(error))
            yield address
    else:
        pytest.skip(daemon.LACKING)


@pytest.fixture(scope="session")
def notebook(engine: str) -> str:
    """The name of an image with Jupyter."""
    name = f"amalthea-test-notebook:{image.version()}"
    if not _here(engine, name):
        image.imported(engine, name, image.notebook_files(), *SETTINGS)
    return name


@pytest.fixture(scope="session")
def plain(engine: str) -> str:
    """The name of an image with a few programs, and a Python that has no Jupyter."""
    name = f"amalthea-test-plain:{image.version()}"
    if not _here(engine, name):
        image.imported(engine, name, image.plain_files(), "ENV PATH=/opt/jupyter/bin:/bin")
    return name


@pytest.fixture(scope="session")
def environment(notebook: str) -> Environment:
    """The one that sessions are ordered with."""
    return Environment(name="base", image=notebook)


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    """Where sockets are: a short path."""
    with tempfile.TemporaryDirectory(prefix="amalthea-") as place:
        yield Path(place)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def opened(engine: str, environment: Environment, directory: Path) -> AsyncIterator[DockerSpawner]:
    """The spawner that tests share."""
    spawner = await DockerSpawner.open(directory=directory, owner=OWNER, environments=[environment], engine=engine)
    yield spawner
    await spawner.aclose()
    assert not os.listdir(directory)
    assert not docker(engine, "ps", "-a", "-q", "--filter", f"label=org.amalthea.owner={OWNER}").split()


@pytest_asyncio.fixture(loop_scope="session")
async def spawner(opened: DockerSpawner) -> AsyncIterator[DockerSpawner]:
    """An open spawner on which nothing runs."""
    yield opened
    for name in list(opened._sessions):
        await opened.forget(name)


@pytest_asyncio.fixture(loop_scope="session")
async def session(spawner: DockerSpawner) -> Spawned:
    """One that runs."""
    return await spawner.start(order("ada"))


@pytest.fixture
def tenant(engine: str) -> Tenant:
    """Runs a program in a session, as its visitor could, and returns what it prints, complaints included."""

    def run(session: Spawned, *argv: str, user: str = "") -> str:
        labels = (f"label=org.amalthea.owner={OWNER}", f"label=org.amalthea.session={session.name}")
        name = docker(engine, "ps", "-q", *(word for label in labels for word in ("--filter", label))).strip()
        return docker(engine, "exec", *(("--user", user) if user else ()), name, *argv)

    return run


def _here(engine: str, name: str) -> bool:
    return bool(docker(engine, "images", "-q", name).strip())


def docker(engine: str, *argv: str) -> str:
    """What the engine's own command prints, complaints included."""
    words = ["docker", "--host", engine, *argv]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
