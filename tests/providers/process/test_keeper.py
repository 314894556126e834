"""A keeper over its child: what either does when the other dies, freezes or does not listen."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from amalthea.model.units import Duration
from amalthea.model.workload import Running, State
from amalthea.providers.process import ProcessProvider
from amalthea.providers.process.keeper import LONGEST_PAUSE, pause
from tests.contracts.provider import SHORT, answer_of, example, fetch, lines_of, until
from tests.providers.process.conftest import processes_of


async def seen(provider: ProcessProvider, key: str) -> Running | None:
    return (await provider.running()).get(key)


def pause_in(line: str) -> float:
    """The seconds before the next try that a keeper's line names."""
    found = re.search(r"next try in (\S+) s$", line)
    return float(found[1]) if found else 0.0


def next_try(running: Running) -> float:
    return pause_in(running.detail)


async def in_state(provider: ProcessProvider, key: str, state: State) -> Running:
    found = await until(lambda: seen(provider, key), lambda one: one is not None and one.state is state)
    assert found is not None
    return found


async def test_keeper_and_child_are_named_in_that_order(provider: ProcessProvider) -> None:
    running = await provider.start(example())
    keeper, child = running.pids
    assert (await answer_of(running))["pid"] == child
    assert psutil.Process(child).ppid() == keeper
    assert os.getsid(keeper) == keeper
    assert os.getpgid(child) == child


async def test_a_keeper_takes_less_than_nine_megabytes(provider: ProcessProvider) -> None:
    running = await provider.start(example())
    assert psutil.Process(running.pids[0]).memory_full_info().pss < 9_000_000
    assert running.memory is not None
    assert running.memory > 5_000_000


async def test_a_killed_keeper_takes_its_child_along(provider: ProcessProvider) -> None:
    running = await provider.start(example())
    os.kill(running.pids[0], signal.SIGKILL)
    await until(provider.running, lambda found: not found)


async def test_a_child_meant_to_outlive_its_keeper_does_and_is_adopted(provider: ProcessProvider) -> None:
    workload = example(outlives_keeper=True)
    running = await provider.start(workload)
    child = (await answer_of(running))["pid"]
    os.kill(running.pids[0], signal.SIGKILL)
    orphan = await in_state(provider, workload.key, State.ORPHANED)
    assert orphan.pids == (child,)

    adopted = await provider.start(workload)
    assert adopted.state is State.RUNNING
    assert adopted.pids[1:] == (child,)
    assert adopted.ports == running.ports
    assert (await answer_of(adopted))["pid"] == child


async def test_an_adopted_child_that_dies_is_started_anew_on_its_port(provider: ProcessProvider) -> None:
    workload = example(outlives_keeper=True)
    running = await provider.start(workload)
    os.kill(running.pids[0], signal.SIGKILL)
    await in_state(provider, workload.key, State.ORPHANED)
    child = (await provider.start(workload)).pids[1]
    os.kill(child, signal.SIGKILL)
    await until(
        lambda: seen(provider, workload.key),
        lambda one: one is not None and len(one.pids) == 2 and one.pids[1] != child,
    )
    assert (await answer_of(running))["environment"]["AMALTHEA_PORT_HTTP"] == str(running.ports["http"])


async def test_an_adopted_child_is_stopped(provider: ProcessProvider) -> None:
    workload = example(outlives_keeper=True)
    running = await provider.start(workload)
    os.kill(running.pids[0], signal.SIGKILL)
    await in_state(provider, workload.key, State.ORPHANED)
    await provider.start(workload)
    await provider.stop(workload.key, grace=SHORT)
    assert await provider.running() == {}


async def test_an_orphan_is_stopped(provider: ProcessProvider) -> None:
    workload = example(outlives_keeper=True)
    running = await provider.start(workload)
    os.kill(running.pids[0], signal.SIGKILL)
    await in_state(provider, workload.key, State.ORPHANED)
    await provider.stop(workload.key, grace=SHORT)
    assert await provider.running() == {}


@pytest.mark.parametrize("which", [0, 1], ids=["keeper", "child"])
async def test_a_frozen_process_counts_as_running_and_can_be_stopped(provider: ProcessProvider, which: int) -> None:
    running = await provider.start(example())
    await answer_of(running)
    os.kill(running.pids[which], signal.SIGSTOP)
    frozen = await until(lambda: seen(provider, running.key), lambda one: one is not None and one.detail)
    assert frozen is not None
    assert frozen.state is State.RUNNING
    assert str(running.pids[which]) in frozen.detail
    await asyncio.wait_for(provider.stop(running.key, grace=Duration(10)), 5)
    assert await provider.running() == {}


async def test_a_frozen_deaf_child_is_killed_after_the_grace(provider: ProcessProvider) -> None:
    running = await provider.start(example("--deaf"))
    await answer_of(running)
    for pid in running.pids:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.wait_for(provider.stop(running.key, grace=Duration(0.3)), 4)
    assert await provider.running() == {}


async def test_what_the_child_started_ends_with_it(provider: ProcessProvider, directory: Path) -> None:
    """Also one in a session of its own, whose environment names nothing: only its working directory tells."""
    running = await provider.start(example("--family"))
    await answer_of(running)
    assert len(processes_of(directory)) == 4
    await provider.stop(running.key, grace=SHORT)
    assert processes_of(directory) == []


async def test_a_child_that_crashes_leaves_nobody_of_its_group(provider: ProcessProvider, directory: Path) -> None:
    running = await provider.start(example("--family", "--die", "0.3"))
    await in_state(provider, running.key, State.RESTARTING)
    left = [one.cmdline() for one in processes_of(directory) if one.pid != running.pids[0]]
    assert left == [["sleep", "600"]]


async def test_what_a_killed_child_left_behind_is_ended_before_the_next_start(
    provider: ProcessProvider, directory: Path
) -> None:
    workload = example("--family")
    running = await provider.start(workload)
    await answer_of(running)
    os.kill(running.pids[0], signal.SIGKILL)
    await until(lambda: asyncio.to_thread(processes_of, directory), lambda found: len(found) == 2)
    orphan = (await provider.running())[workload.key]
    assert orphan.state is State.ORPHANED
    assert psutil.Process(orphan.pids[0]).cmdline() == ["sleep", "600"]
    again = await provider.start(workload)
    assert again.state is State.RUNNING
    assert orphan.pids[0] not in [one.pid for one in processes_of(directory)]
    await answer_of(again)
    await provider.stop(workload.key, grace=SHORT)
    for one in processes_of(directory):
        one.kill()


async def test_a_crash_loop_slows_down_and_says_so(provider: ProcessProvider) -> None:
    running = await provider.start(example("--die", "0"))
    said = r"exited with code 3 after \d\.\d s, next try in \d\.\d s"
    crashing = await until(lambda: seen(provider, running.key), lambda one: one is not None and next_try(one) > 1)
    assert crashing is not None
    assert crashing.state is State.RESTARTING
    assert re.fullmatch(said, crashing.detail)
    waits = [seconds for line in await lines_of(provider, running.key) if (seconds := pause_in(line))]
    assert len(waits) >= 4
    assert waits == sorted(waits)
    assert waits[-1] >= 4 * waits[0]


def test_pauses_double_up_to_a_limit_and_are_spread() -> None:
    for failures in range(1, 40):
        longest = min(LONGEST_PAUSE, 0.2 * 2 ** (failures - 1))
        tries = [pause(failures) for _ in range(50)]
        assert all(0.75 * longest <= one <= longest for one in tries)
        assert len(set(tries)) > 10


async def test_a_program_that_is_killed_is_named_with_its_signal(provider: ProcessProvider) -> None:
    running = await provider.start(example())
    os.kill(running.pids[1], signal.SIGSEGV)
    restarting = await until(lambda: seen(provider, running.key), lambda one: one is not None and one.detail)
    assert restarting is not None
    assert restarting.detail.startswith("was ended by SIGSEGV after ")


async def test_a_stop_in_the_pause_before_a_restart_is_quick(provider: ProcessProvider) -> None:
    running = await provider.start(example("--die", "0"))
    await until(lambda: seen(provider, running.key), lambda one: one is not None and next_try(one) > 2)
    await asyncio.wait_for(provider.stop(running.key, grace=Duration(10)), 1)
    assert await asyncio.to_thread(fetch, running) is None


async def test_a_keeper_told_to_end_by_anyone_ends_its_child_within_the_grace(provider: ProcessProvider) -> None:
    running = await provider.start(example("--deaf", grace=Duration(0.5)))
    await answer_of(running)
    os.kill(running.pids[0], signal.SIGTERM)
    await until(provider.running, lambda found: not found, seconds=3)


async def test_a_keeper_ignores_the_hang_up_of_a_terminal(provider: ProcessProvider) -> None:
    running = await provider.start(example())
    os.kill(running.pids[0], signal.SIGHUP)
    await asyncio.sleep(0.2)
    assert (await provider.running())[running.key].pids == running.pids
