"""What a spawner leaves that was killed: containers and directories, found again by its owner's name."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from amalthea.providers.docker.engine import Engine
from amalthea.providers.docker.place import alive, instances
from amalthea.providers.docker.recipe import DIRECTORY, INSTANCE, OWNER


async def clear(engine: Engine, directory: Path, owner: str) -> None:
    """Remove what no living process of the owner answers for. Raises `ProviderError`."""
    # Locks of another directory say nothing here, so neither is anything done to what hangs on them.
    for one in await engine.listed({OWNER: owner, DIRECTORY: str(directory)}, stopped=True):
        if not alive(directory, one["Labels"].get(INSTANCE, "")):
            await engine.remove(one["Id"])
    for instance in list(instances(directory)):
        if not alive(directory, instance):
            await asyncio.to_thread(shutil.rmtree, directory / instance, ignore_errors=True)
