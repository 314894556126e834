"""The spawner of processes does what every spawner does."""

from __future__ import annotations

import pytest

from amalthea.model.spawner import Spawner
from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.spawner import SpawnerContract

pytestmark = [pytest.mark.xdist_group("warm"), pytest.mark.slow]


def its_type(spawner: ProcessSpawner) -> Spawner:
    """Read by the type checker alone."""
    return spawner


@pytest.mark.asyncio(loop_scope="module")
class TestProcessSpawner(SpawnerContract):
    """All of it."""
