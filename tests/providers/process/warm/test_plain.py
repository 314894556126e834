"""Where there are no namespaces, sessions are ordinary processes with a home on disk, and say so."""

from __future__ import annotations

import os

import pytest

from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.spawner import SpawnerContract, visiting

pytestmark = [
    pytest.mark.xdist_group("warm"),
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() == 0, reason="another user may not reach this interpreter; test_unprivileged runs this as one"
    ),
]
WALLS = False


@pytest.mark.asyncio(loop_scope="module")
class TestPlainSpawner(SpawnerContract):
    """All of it, but for what needs walls."""

    async def test_the_missing_walls_are_named(self, spawner: ProcessSpawner) -> None:
        missing = {wall.name for wall in spawner.guarantees() if not wall.holds}
        assert missing >= {"files", "processes", "network", "user", "disk"}

    async def test_no_process_that_a_notebook_left_behind_outlives_it(self, spawner: ProcessSpawner) -> None:
        async with visiting(spawner) as visitor:
            code = "import subprocess; print(subprocess.Popen(['setsid', 'sleep', '1000']).pid)"
            left = int(await visitor.run(code))
            os.kill(left, 0)
            await spawner.stop(visitor.order.name)
            with pytest.raises(ProcessLookupError):
                os.kill(left, 0)
