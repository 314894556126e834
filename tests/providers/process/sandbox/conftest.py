"""Sessions for those who try to get out of them, or to harm others: they find the probes in their home."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from amalthea.model.spawner import Environment
from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.notebook import Kernel, Visitor
from tests.contracts.spawner import visiting

PROBES = Path(__file__).parent / "probes"
SECONDS = 20.0


class Intruder:
    """A visitor with the probes at hand, in one kernel."""

    def __init__(self, visitor: Visitor, kernel: Kernel) -> None:
        self.visitor = visitor
        self.name = visitor.order.name
        self.kernel = kernel

    async def tries(self, probe: str, *arguments: Any, **options: Any) -> Any:
        """What `module.function` of the probes returns."""
        module = probe.partition(".")[0]
        words = ", ".join([*map(repr, arguments), *(f"{key}={value!r}" for key, value in options.items())])
        code = f"import json\nfrom probes import {module}\nprint(json.dumps({probe}({words})))"
        said = await self.kernel.run(code)
        try:
            return json.loads(said)
        except json.JSONDecodeError:
            pytest.fail(f"{probe}: {said}")


class Neighbour:
    """Another visitor, with a secret, who is not to notice anything."""

    def __init__(self, visitor: Visitor, kernel: Kernel, secret: str) -> None:
        self.visitor = visitor
        self.kernel = kernel
        self.secret = secret

    async def is_served(self) -> None:
        """Its server answers, its kernel computes and its home takes a file, all within a bound."""
        async with asyncio.timeout(SECONDS):
            assert (await self.visitor.ask("api/status")).status == 200
            assert await self.kernel.run("open('note', 'w').write('x' * 10000); print(6 * 7)") == "42"
            assert (
                await self.kernel.run("import subprocess; print(subprocess.check_output(['echo', 'hi']))") == r"b'hi\n'"
            )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spawner() -> AsyncIterator[ProcessSpawner]:
    """An open one."""
    pytest.importorskip("jupyterlab", reason="sessions need amalthea[tmpnb]")
    with tempfile.TemporaryDirectory(prefix="x-") as place:
        opened = await ProcessSpawner.open(Path(place, "sessions"), [Environment(name="base", python=sys.executable)])
        yield opened
        await opened.aclose()


@asynccontextmanager
async def intruding(spawner: ProcessSpawner, **fields: Any) -> AsyncIterator[Intruder]:
    """A session of somebody who is up to no good."""
    async with visiting(spawner, **fields) as visitor:
        home = spawner.home(visitor.order.name)
        for file in PROBES.glob("*.py"):
            await home.write(f"probes/{file.name}", file.read_bytes())
        async with visitor.kernel() as kernel:
            yield Intruder(visitor, kernel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def intruder(spawner: ProcessSpawner) -> AsyncIterator[Intruder]:
    """One for all tests that do not end it."""
    async with intruding(spawner) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbour(spawner: ProcessSpawner) -> AsyncIterator[Neighbour]:
    """One that lives through it all."""
    secret = secrets.token_hex(16)
    async with visiting(spawner) as visitor, visitor.kernel() as kernel:
        await kernel.run(f"open('{secret}.txt', 'w').write('{secret}')")
        yield Neighbour(visitor, kernel, secret)
