"""Sessions as containers of a Docker engine, where one answers: the same fleet, with the other backend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.report import Cell, median
from benchmarks.sessions.clicks import Trial, place
from benchmarks.sessions.memory import counted

_SETTINGS = ("ENV PATH=/opt/jupyter/bin:/bin", "USER jovyan:users", "CMD /bin/sleep 1000")
_HOW = {1: "Docker, from a warm pool", 0: "Docker, started anew"}


def rows(notes: list[str], *, times: int) -> Sequence[tuple[Cell, ...]]:
    """Containers out of a pool, and containers started anew."""
    if find_spec("aiodocker") is None:
        notes.append("aiodocker is not installed (the extra amalthea[docker]): no Docker pool")
        return []
    from tests.providers.docker import daemon, image

    engine = daemon.answering()
    if not engine:
        notes.append("no Docker engine answers: no Docker pool")
        return []
    name = f"amalthea-benchmark:{image.version()}"
    image.imported(engine, name, image.notebook_files(), *_SETTINGS)
    found = []
    for pool, how in _HOW.items():
        trials, memory = asyncio.run(_measured(name, pool=pool, times=times))
        pages, outputs = [one.page for one in trials], [one.output for one in trials]
        found.append((how, 1e3 * median(pages), 1e3 * median(outputs), memory))
    return found


async def _measured(name: str, *, pool: int, times: int) -> tuple[Sequence[Trial], float | None]:
    environment = f'[[services.tmpnb.environments]]\nname = "python"\nimage = {json.dumps(name)}'
    with place(pool=pool, more=f'backend = "docker"\n{environment}') as at:
        await at.grow(1)
        trials = await at.trials(times, pool=pool)
        memory = counted(at.admin)
    return trials, None if memory is None else memory / 1e6
