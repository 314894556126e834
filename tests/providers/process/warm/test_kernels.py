"""Kernels that are forks behave as kernels do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import pytest

from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.notebook import Visitor
from tests.contracts.spawner import SECONDS, visiting

pytestmark = [pytest.mark.xdist_group("warm"), pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def test_an_interrupted_kernel_keeps_what_it_knows(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor, visitor.kernel() as kernel:
        await kernel.run("known = 42")
        await kernel.begin("print('on it', flush=True)\nimport time\nwhile True: time.sleep(0.01)")
        await asyncio.sleep(0.3)
        assert (await visitor.ask(f"api/kernels/{kernel.number}/interrupt", method="POST")).status == 204
        assert "KeyboardInterrupt" in await kernel.finish()
        assert await kernel.run("known") == "42"


async def test_a_restarted_kernel_has_forgotten_everything(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        async with visitor.kernel() as kernel:
            await kernel.run("known = 42")
            assert (await visitor.ask(f"api/kernels/{kernel.number}/restart", method="POST")).status == 200
        async with visitor.channels(kernel.number) as kernel:
            assert "NameError" in await kernel.run("known")


async def test_a_kernel_that_dies_is_started_again(spawner: ProcessSpawner) -> None:
    code = "import os; print(os.getpid())"
    async with visiting(spawner) as visitor, visitor.kernel() as kernel:
        first = await kernel.run(code)
        await kernel.begin("import os; os.kill(os.getpid(), 9)")
        assert await another(visitor, kernel.number, code, not_this=first) != first


async def another(visitor: Visitor, number: str, code: str, *, not_this: str) -> str:
    """What the code says once it says something else. Nobody answers between the death and the new start."""
    deadline = time.monotonic() + SECONDS
    said = not_this
    while said == not_this and time.monotonic() < deadline:
        async with visitor.channels(number) as kernel:
            with contextlib.suppress(TimeoutError):
                said = await asyncio.wait_for(kernel.run(code), 2)
    return said


async def test_a_kernel_that_is_shut_down_is_gone(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        async with visitor.kernel() as kernel:
            number = kernel.number
        assert (await visitor.ask(f"api/kernels/{number}", method="DELETE")).status == 204
        seen = await visitor.run("import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))")
        assert seen == "3"


async def test_a_kernel_of_another_language_is_started_as_its_specification_says(spawner: ProcessSpawner) -> None:
    spec = {
        "argv": ["/usr/bin/env", "OTHER=yes", "python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Other",
        "language": "other",
    }
    async with visiting(spawner) as visitor:
        home = spawner.home(visitor.order.name)
        await home.write(".local/share/jupyter/kernels/other/kernel.json", json.dumps(spec).encode())
        async with visitor.kernel("other") as kernel:
            assert await kernel.run("import os; print(os.environ['OTHER'])") == "yes"


async def test_a_kernel_runs_in_the_directory_of_its_notebook(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        await spawner.home(visitor.order.name).write("deep/module.py", b"answer = 42")
        body = {"path": "deep/x.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        session = await visitor.ask("api/sessions", method="POST", body=body)
        async with visitor.channels(session.json()["kernel"]["id"]) as kernel:
            assert await kernel.run("import module, os; print(module.answer, os.getcwd())") == "42 /home/jovyan/deep"


async def test_packages_that_the_visitor_installs_are_found(spawner: ProcessSpawner) -> None:
    """The package is made here, so that no index is needed."""
    project = b"[build-system]\nrequires = []\nbuild-backend = 'maker'\nbackend-path = ['.']\n"
    maker = b"""
import os, zipfile
def build_wheel(directory, settings=None, metadata=None):
    name = 'fruit-1-py3-none-any.whl'
    with zipfile.ZipFile(os.path.join(directory, name), 'w') as wheel:
        wheel.writestr('fruit.py', 'colour = "red"')
        wheel.writestr('fruit-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: fruit\\nVersion: 1\\n')
        wheel.writestr('fruit-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr('fruit-1.dist-info/RECORD', '')
    return name
"""
    async with visiting(spawner) as visitor, visitor.kernel() as kernel:
        home = spawner.home(visitor.order.name)
        await home.write("fruit/pyproject.toml", project)
        await home.write("fruit/maker.py", maker)
        said = await kernel.run("%pip install --quiet --no-index --no-build-isolation ./fruit")
        assert await kernel.run(
            "import fruit; print(fruit.colour, fruit.__file__.startswith('/home/jovyan/.local'))"
        ) == ("red True"), said
        assert (
            await kernel.run("import subprocess, sys; print(subprocess.call([sys.executable, '-c', 'import fruit']))")
            == "0"
        )


async def test_a_terminal_opens(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        assert (await visitor.ask("api/terminals", method="POST")).status == 200
        assert len((await visitor.ask("api/terminals")).json()) == 1


async def test_modules_of_the_service_are_not_in_a_kernel(spawner: ProcessSpawner) -> None:
    async with visiting(spawner) as visitor:
        assert await visitor.run("import sys; print([name for name in sys.modules if 'amalthea' in name])") == "[]"
