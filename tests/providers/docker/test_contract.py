"""The contract of every spawner, kept by containers."""

from __future__ import annotations

import pytest

from tests.contracts.spawner import SpawnerContract


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.xdist_group("docker")
@pytest.mark.slow
class TestDockerSpawner(SpawnerContract):
    """The fixture `spawner` is that of this directory."""
