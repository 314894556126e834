"""What happens to the workloads when the command that started them dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from amalthea.model.units import Duration
from amalthea.model.wire import decode
from amalthea.model.workload import Running, State
from amalthea.providers.process import ProcessProvider
from amalthea.providers.process.launch import Order
from amalthea.providers.process.log import Log
from tests.contracts.provider import answer_of, example, until
from tests.providers.process.conftest import PROGRAMS, processes_of

ROOT = Path(__file__).parents[3]


async def command(
    directory: Path, *, lifeline: bool, stay: bool, arguments: Sequence[str] = ()
) -> asyncio.subprocess.Process:
    words = [str(directory), "yes" if lifeline else "no", "yes" if stay else "no", *arguments]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.providers.process.commander", *words, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )


async def heard(process: asyncio.subprocess.Process) -> Running:
    assert process.stdout is not None
    return decode(await process.stdout.readline(), Running)


async def test_with_a_lifeline_everything_ends_when_the_command_is_killed(
    directory: Path, provider: ProcessProvider
) -> None:
    commander = await command(directory, lifeline=True, stay=True)
    running = await heard(commander)
    await answer_of(running)
    commander.kill()
    await commander.wait()
    await until(provider.running, lambda found: not found, seconds=3)


async def test_with_a_lifeline_a_deaf_child_is_killed_after_the_grace(
    directory: Path, provider: ProcessProvider
) -> None:
    opened = ProcessProvider("north", directory=directory, fleet="laptop", programs=PROGRAMS, lifeline=True)
    await answer_of(await opened.start(example("--deaf", "--family", grace=Duration(0.5))))
    await opened.aclose()
    await until(lambda: asyncio.to_thread(processes_of, directory), lambda found: not found, seconds=4)


async def test_without_a_lifeline_everything_stays_when_the_command_is_killed(
    directory: Path, provider: ProcessProvider
) -> None:
    commander = await command(directory, lifeline=False, stay=True)
    running = await heard(commander)
    await answer_of(running)
    commander.kill()
    await commander.wait()
    await asyncio.sleep(0.3)
    assert (await provider.running())[running.key].pids == running.pids


async def test_without_a_lifeline_a_workload_survives_the_terminal_of_its_command(
    directory: Path, provider: ProcessProvider
) -> None:
    """A terminal that closes hangs up on the session of the command; the keeper has one of its own."""
    commander = await command(directory, lifeline=False, stay=True)
    running = await heard(commander)
    assert os.getsid(running.pids[0]) not in (os.getsid(commander.pid), os.getsid(0))
    for number in (signal.SIGHUP, signal.SIGINT):
        os.kill(running.pids[0], signal.SIGHUP)
        commander.send_signal(number)
    await commander.wait()
    await asyncio.sleep(0.2)
    assert (await provider.running())[running.key].state is State.RUNNING


async def test_two_commands_at_the_same_moment_start_one(directory: Path, provider: ProcessProvider) -> None:
    commanders = await asyncio.gather(*(command(directory, lifeline=False, stay=False) for _ in range(3)))
    started = await asyncio.gather(*(heard(one) for one in commanders))
    assert [await one.wait() for one in commanders] == [0, 0, 0]
    assert len({one.pids for one in started}) == 1
    assert len(processes_of(directory)) == 2
    assert not list((directory / "run").glob("*"))


async def test_nothing_is_started_by_a_provider_that_is_closed(directory: Path) -> None:
    closed = ProcessProvider("north", directory=directory, fleet="laptop", programs=PROGRAMS, lifeline=True)
    await closed.aclose()
    await closed.aclose()
    with pytest.raises(Exception, match="closed"):
        await closed.start(example())


async def test_a_keeper_that_nobody_waits_for_ends_at_once(directory: Path) -> None:
    """The command was killed between the start of the keeper and its report."""
    heard_by_nobody, report = os.pipe()
    os.close(heard_by_nobody)
    order = Order(
        key="example.00000000",
        argv=["/bin/sleep", "600"],
        environment={},
        directory=str(directory),
        log=directory / "one.log",
        grace=1,
        outlives=False,
    )
    output = Log(order.log).open()
    starter = await asyncio.create_subprocess_exec(
        *order.words(report), pass_fds=[report], stdout=output, stderr=output, cwd=directory
    )
    os.close(report)
    os.close(output)
    assert await starter.wait() == 0
    await until(lambda: tail(Log(order.log)), lambda lines: lines and lines[-1].endswith("keeper: stops"))
    await until(lambda: asyncio.to_thread(processes_of, directory), lambda found: not found)


async def tail(log: Log) -> list[str]:
    return [line async for line in log.read(10, follow=False)]
