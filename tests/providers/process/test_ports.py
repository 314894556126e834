"""Ports: checked before anything starts, and kept for a workload while it is down."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from amalthea.model.errors import PortInUse, ProviderError
from amalthea.model.workload import State
from amalthea.providers.process import ProcessProvider
from amalthea.providers.process.ports import hold
from tests.contracts.provider import answer_of, example, until
from tests.machine import free_port
from tests.providers.process.conftest import PROGRAMS


def files_in(directory: Path) -> list[Path]:
    return [one for one in directory.rglob("*") if one.is_file()]


@pytest.mark.parametrize("address", ["127.0.0.1", ""], ids=["loopback", "everywhere"])
async def test_a_port_in_use_is_refused_by_number_and_owner(
    provider: ProcessProvider, directory: Path, address: str
) -> None:
    with socket.create_server((address, 0)) as listener:
        number = listener.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            await provider.start(example(ports={"http": number, "admin": 0}))
    assert f"port {number}" in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)
    assert caught.value.hint
    assert await provider.running() == {}
    assert not files_in(directory)


async def test_a_fixed_port_is_given_as_it_is(provider: ProcessProvider) -> None:
    number = free_port()
    running = await provider.start(example(ports={"http": number}))
    assert running.ports == {"http": number}
    await answer_of(running)


async def test_a_program_may_listen_on_every_address(provider: ProcessProvider) -> None:
    await answer_of(await provider.start(example("--address", "0.0.0.0")))


async def test_a_port_stays_kept_while_its_program_is_between_two_lives(provider: ProcessProvider) -> None:
    running = await provider.start(example("--die", "0"))
    await until(provider.running, lambda found: found[running.key].state is State.RESTARTING)
    stranger = socket.socket()
    with stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", running.ports["http"]))


async def test_a_fixed_port_of_a_workload_that_is_down_is_not_given_to_another(
    provider: ProcessProvider, directory: Path
) -> None:
    number = free_port()
    first = await provider.start(example("--die", "0", ports={"http": number}))
    south = ProcessProvider("south", directory=directory, fleet="laptop", programs=PROGRAMS)
    with pytest.raises(PortInUse, match=first.key):
        await south.start(example(ports={"http": number}))


async def test_an_adopted_child_keeps_its_fixed_port(provider: ProcessProvider) -> None:
    workload = example(ports={"http": free_port()}, outlives_keeper=True)
    running = await provider.start(workload)
    await answer_of(running)
    os.kill(running.pids[0], signal.SIGKILL)
    await until(provider.running, lambda found: found[running.key].state is State.ORPHANED)
    assert (await provider.start(workload)).ports == running.ports


def test_held_ports_are_never_the_same() -> None:
    holders = [hold(0) for _ in range(200)]
    numbers = {one.getsockname()[1] for one in holders}
    for one in holders:
        one.close()
    assert len(numbers) == 200


async def test_a_port_name_that_no_variable_can_carry_is_refused(provider: ProcessProvider) -> None:
    with pytest.raises(ProviderError, match="port's name"):
        await provider.start(example(ports={"ht-tp": 0}))
