"""A command for tests: `commander.py DIRECTORY LIFELINE STAY ARGUMENT...` starts one example workload.

It prints what it started as JSON, then stays until killed or ends, as told.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from amalthea.model.wire import encode
from amalthea.providers.process import ProcessProvider
from tests.contracts.provider import example
from tests.providers.process.conftest import PROGRAMS


async def main(directory: str, lifeline: str, stay: str, *arguments: str) -> None:
    provider = ProcessProvider(
        "north", directory=Path(directory), fleet="laptop", programs=PROGRAMS, lifeline=lifeline == "yes"
    )
    print(encode(await provider.start(example(*arguments))), flush=True)
    if stay == "yes":
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
