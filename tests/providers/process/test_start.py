"""What a workload is given, and what is refused before it starts."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.workload import Workload
from amalthea.providers.process import ProcessProvider
from amalthea.providers.process.environment import LAUNCH_BYTES, passed_on
from tests.contracts.provider import answer_of, example
from tests.providers.process.conftest import PROGRAMS


async def test_a_program_that_does_not_exist_is_an_error_at_once(directory: Path) -> None:
    programs = {"envoy": ["/nowhere/envoy"]}
    provider = ProcessProvider("north", directory=directory, fleet="laptop", programs=programs)
    with pytest.raises(ProviderError, match="cannot run /nowhere/envoy: No such file or directory"):
        await provider.start(Workload(name="edge", service="edge", argv=("envoy", "-c", "x")))
    assert await provider.running() == {}


async def test_a_program_that_may_not_be_run_is_an_error_at_once(directory: Path) -> None:
    (directory / "plain.txt").write_text("text")
    programs = {"envoy": [str(directory / "plain.txt")]}
    provider = ProcessProvider("north", directory=directory, fleet="laptop", programs=programs)
    with pytest.raises(ProviderError, match="Permission denied"):
        await provider.start(Workload(name="edge", service="edge", argv=("envoy",)))
    assert await provider.running() == {}


async def test_a_launch_text_of_a_hundred_kibibytes_arrives(provider: ProcessProvider) -> None:
    said = await answer_of(await provider.start(example(launch="x" * LAUNCH_BYTES)))
    assert len(said["environment"]["AMALTHEA_LAUNCH"]) == LAUNCH_BYTES


async def test_a_longer_launch_text_is_an_error_that_says_how_long_it_may_be(provider: ProcessProvider) -> None:
    with pytest.raises(ProviderError, match="100 KiB at most"):
        await provider.start(example(launch="x" * (LAUNCH_BYTES + 1)))


async def test_an_environment_that_is_too_long_is_an_error(provider: ProcessProvider) -> None:
    with pytest.raises(ProviderError, match="Argument list too long"):
        await provider.start(example(env={"LONG": "x" * 200_000}))


@pytest.mark.parametrize("workload", [example("nul\0nul"), example(env={"A": "\0"}), example(env={"A=B": "c"})])
async def test_what_no_process_can_be_given_is_an_error(provider: ProcessProvider, workload: Workload) -> None:
    with pytest.raises(ProviderError, match="cannot start a keeper"):
        await provider.start(workload)


@pytest.mark.parametrize("name", ["../up", "a/b", "", "-f", "x" * 200])
async def test_a_name_that_is_no_file_name_is_refused(provider: ProcessProvider, name: str) -> None:
    with pytest.raises(ProviderError, match="letters, digits"):
        await provider.start(example(name=name))


async def test_the_operators_environment_is_passed_on_but_for_what_would_mislead(directory: Path) -> None:
    given = {
        "AWS_ACCESS_KEY_ID": "a",
        "PATH": "/bin",
        "PYTHONPATH": "here",
        "PYTHONWARNINGS": "error",
        "SSH_AUTH_SOCK": "/tmp/agent",
        "NOTIFY_SOCKET": "/run/systemd",
        "AMALTHEA_ROLE": "child",
    }
    assert set(passed_on(given)) == {"AWS_ACCESS_KEY_ID", "PATH", "PYTHONPATH"}


async def test_a_workload_cannot_claim_to_be_another(provider: ProcessProvider) -> None:
    workload = example(env={"AMALTHEA_WORKLOAD": "other", "AMALTHEA_SITE": "south", "AMALTHEA_ROLE": "child"})
    running = await provider.start(workload)
    assert running.key == workload.key
    assert running.name == "example"


async def test_a_child_has_no_descriptor_but_the_standard_three(provider: ProcessProvider) -> None:
    running = await provider.start(example())
    await answer_of(running)
    keeper, child = running.pids
    standard, others = opened_by(child)
    assert standard == {"/dev/null", *(one for one in standard if one.endswith(".log"))}
    # Sockets and pipes are named by a number of their own: one that two processes hold was inherited.
    for elder in (keeper, os.getpid()):
        assert not others & set().union(*opened_by(elder))


def opened_by(pid: int) -> tuple[set[str], set[str]]:
    """What its first three descriptors are, and what the rest are."""
    standard, others = set[str](), set[str]()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            (standard if int(number) < 3 else others).add(os.readlink(f"/proc/{pid}/fd/{number}"))
    return standard, others


async def test_a_site_name_that_is_no_file_name_is_refused(directory: Path) -> None:
    with pytest.raises(ProviderError, match="a site's name"):
        ProcessProvider("../north", directory=directory, fleet="laptop", programs=PROGRAMS)
