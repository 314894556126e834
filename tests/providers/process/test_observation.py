"""What is seen in the process table, and what is not believed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from amalthea.providers.process import ProcessProvider, sites, tidy
from amalthea.providers.process.identity import Identity
from amalthea.providers.process.observation import scan
from tests.contracts.provider import SHORT, example
from tests.providers.process.conftest import PROGRAMS

SLEEP = "import sys, time; print(flush=True); time.sleep(600)"
NOBODY = 65534


@contextmanager
def planted(directory: Path, *, site: str = "north", become: Callable[[], None] | None = None) -> Iterator[int]:
    """A process that says it is a keeper of the fleet in `directory`; `become` gives it its user."""
    identity = Identity(directory=str(directory), fleet="f", site=site, key="fake.00000000", name="fake", service="s")
    with subprocess.Popen(
        ["/usr/bin/env", "python3", "-c", SLEEP],
        env={"PATH": "/usr/bin:/bin", **identity.variables(), "AMALTHEA_ROLE": "keeper"},
        preexec_fn=become,
        stdout=subprocess.PIPE,
        cwd="/",
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


async def test_our_own_process_is_seen_by_its_environment(provider: ProcessProvider, directory: Path) -> None:
    with planted(directory) as pid:
        assert (await provider.running())["fake.00000000"].pids == (pid,)
    assert await provider.running() == {}


@pytest.mark.privileged
@pytest.mark.parametrize(
    "become",
    [lambda: os.setuid(NOBODY), lambda: os.setresuid(NOBODY, 0, 0)],
    ids=["their program", "our setuid program that they run"],
)
async def test_a_process_of_another_user_is_not_believed(
    provider: ProcessProvider, directory: Path, become: Callable[[], None]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may start a process of another user")
    with planted(directory, become=become):
        assert await provider.running() == {}
        assert sites(directory) == set()


async def test_a_site_does_not_see_another_nor_another_fleet(provider: ProcessProvider, directory: Path) -> None:
    with planted(directory, site="south"), planted(directory / "deeper"):
        assert await provider.running() == {}


async def test_a_directory_is_the_same_by_every_path_to_it(provider: ProcessProvider, directory: Path) -> None:
    running = await provider.start(example())
    link = directory.parent / "link"
    link.symlink_to(directory)
    other = ProcessProvider("north", directory=link, fleet="laptop", programs=PROGRAMS)
    assert set(await other.running()) == {running.key}
    assert sites(link) == {"north"}


async def test_sites_are_those_that_have_processes(provider: ProcessProvider, directory: Path) -> None:
    assert sites(directory) == set()
    south = ProcessProvider("south", directory=directory, fleet="laptop", programs=PROGRAMS)
    await provider.start(example())
    running = await south.start(example())
    assert sites(directory) == {"north", "south"}
    await south.stop(running.key, grace=SHORT)
    assert sites(directory) == {"north"}


async def test_after_a_full_stop_nothing_but_logs_is_left(provider: ProcessProvider, directory: Path) -> None:
    running = await provider.start(example())
    (directory / "run" / "north.killed.lock").touch()
    tidy(directory)
    assert (directory / "run").exists()
    await provider.stop(running.key, grace=SHORT)
    tidy(directory)
    assert os.listdir(directory) == ["log"]


def test_a_look_at_hundreds_of_processes_is_quick(directory: Path) -> None:
    with ExitStack() as crowd:
        for _ in range(300):
            process = subprocess.Popen(["/bin/sleep", "600"], env={}, cwd="/")
            crowd.callback(process.wait)
            crowd.callback(process.kill)
        quickest = min(timed(directory) for _ in range(5))
    assert quickest < 0.05


def timed(directory: Path) -> float:
    begun = time.perf_counter()
    scan(str(directory))
    return time.perf_counter() - begun
