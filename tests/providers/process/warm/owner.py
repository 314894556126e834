"""Open a spawner, start a session with a kernel, say so, and wait: `python -m ...owner DIRECTORY`, to be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from amalthea.model.spawner import Environment
from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.spawner import visiting


async def main() -> None:
    spawner = await ProcessSpawner.open(Path(sys.argv[1]), [Environment(name="base")])
    async with visiting(spawner) as visitor, visitor.kernel() as kernel:
        print(await kernel.run("'ready'"), flush=True)
        await asyncio.sleep(1000)


asyncio.run(main())
