"""What becomes of sessions when something around them ends, breaks or changes."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import site
import sys
import sysconfig
import venv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment
from amalthea.providers.process.spawner import ProcessSpawner
from tests.contracts.spawner import SECONDS, an_order, visiting

ROOT = Path(__file__).parents[4]
pytestmark = [pytest.mark.xdist_group("warm"), pytest.mark.slow]


def packages_of(prefix: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(prefix), "platbase": str(prefix)}))


def an_environment(place: Path) -> Path:
    """An interpreter with packages of its own, which also finds those installed here and below. Returns its prefix."""
    prefix = place / "environment"
    venv.create(prefix, symlinks=True)
    below = packages_of(Path(sys.base_prefix))
    found = [*site.getsitepackages(), *([str(below)] if below.is_dir() else [])]
    (packages_of(prefix) / "more.pth").write_text("\n".join(found))
    return prefix


def install(prefix: Path, *, colour: str, version: str) -> None:
    """As an installer does: the module, and a directory that names the version."""
    packages = packages_of(prefix)
    for old in packages.glob("fruit-*.dist-info"):
        old.rmdir()
    (packages / "fruit.py").write_text(f"colour = {colour!r}\n")
    (packages / f"fruit-{version}.dist-info").mkdir()


def has_numpy() -> bool:
    below = packages_of(Path(sys.base_prefix))
    return importlib.util.find_spec("numpy") is not None or (below / "numpy").is_dir()


@asynccontextmanager
async def opened(place: Path, environment: Environment) -> AsyncIterator[ProcessSpawner]:
    spawner = await ProcessSpawner.open(place / "s", [environment])
    try:
        yield spawner
    finally:
        await spawner.aclose()


def parents_at(place: Path) -> list[psutil.Process]:
    """The warm parents of the spawners there."""
    return [one for one in psutil.Process().children() if str(place) in one.environ().get("HOME", "")]


async def gone(processes: list[psutil.Process]) -> bool:
    """Whether all end soon."""
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=SECONDS)
    return not [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


async def test_when_the_owner_is_killed_every_session_ends(place: Path) -> None:
    argv = [sys.executable, "-m", "tests.providers.process.warm.owner", str(place / "owned")]
    owner = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    assert b"ready" in await owner.stdout.readline()
    processes = psutil.Process(owner.pid).children(recursive=True)
    assert len(processes) >= 5
    owner.kill()
    await owner.wait()
    assert await gone(processes)


async def test_closing_ends_everything(place: Path) -> None:
    before = psutil.Process().children(recursive=True)
    async with opened(place, Environment(name="base")) as spawner:
        order = an_order()
        await spawner.start(order)
        processes = [one for one in psutil.Process().children(recursive=True) if one not in before]
        assert len(processes) >= 4
    assert await gone(processes)
    assert not list((place / "s").glob("*.sock"))
    with pytest.raises(ProviderError):
        await spawner.start(an_order())


async def test_sessions_that_came_and_went_leave_no_descriptor_and_no_cgroup(place: Path) -> None:
    async with opened(place, Environment(name="base")) as spawner:
        async with visiting(spawner):
            pass
        before = sorted(os.listdir("/proc/self/fd"))
        for _ in range(3):
            async with visiting(spawner) as visitor:
                group = spawner._known(visitor.order.name).belongings.group
                directories = [Path(one) for one in group.directories] if group is not None else []
            assert not [one for one in directories if one.exists()]
        assert sorted(os.listdir("/proc/self/fd")) == before


async def test_a_session_that_cannot_start_leaves_nothing(place: Path) -> None:
    async with opened(place, Environment(name="base")) as spawner:
        async with visiting(spawner):
            pass
        before = sorted(os.listdir("/proc/self/fd"))
        in_the_way = place / "s" / "x.sock"
        in_the_way.mkdir()
        with pytest.raises(ProviderError, match="listen"):
            await spawner.start(an_order(name="x"))
        in_the_way.rmdir()
        assert sorted(os.listdir("/proc/self/fd")) == before
        async with visiting(spawner, name="x") as visitor:
            assert (await visitor.ask("api/status")).status == 200


async def test_when_a_warm_parent_dies_its_sessions_end_and_the_next_one_starts(place: Path) -> None:
    async with opened(place, Environment(name="base")) as spawner:
        async with visiting(spawner) as visitor:
            parents = parents_at(place)
            for one in parents:
                one.kill()
            assert await asyncio.wait_for(spawner.ended(visitor.order.name), SECONDS)
            assert await spawner.running() == {}
        async with visiting(spawner) as visitor:
            assert (await visitor.ask("api/status")).status == 200


async def test_a_session_whose_outer_process_is_killed_leaves_nothing(place: Path) -> None:
    async with opened(place, Environment(name="base")) as spawner, visiting(spawner) as visitor:
        await visitor.run("1")
        (parent,) = parents_at(place)
        outer, *_ = parent.children()
        inside = outer.children(recursive=True)
        assert len(inside) >= 2
        outer.kill()
        assert await asyncio.wait_for(spawner.ended(visitor.order.name), SECONDS)
        assert await gone(inside)


async def test_after_an_upgrade_new_sessions_have_the_new_package_and_old_ones_live_on(place: Path) -> None:
    prefix = an_environment(place)
    install(prefix, colour="green", version="1")
    environment = Environment(name="base", python=str(prefix / "bin" / "python"), preload=("fruit",))
    code = "import fruit, os; print(fruit.colour, os.path.exists(fruit.__file__))"
    async with opened(place, environment) as spawner, visiting(spawner) as old:
        assert await old.run(code) == "green True"
        install(prefix, colour="red", version="2")
        async with visiting(spawner) as new:
            assert await new.run(code) == "red True"
            assert (await old.ask("api/status")).status == 200
        parents = parents_at(place)
        assert len(parents) == 2
        await spawner.stop(old.order.name)
        await asyncio.sleep(0)
        old_parent, _ = sorted(parents, key=lambda one: one.create_time())
        assert await gone([old_parent])


@pytest.mark.skipif(not has_numpy(), reason="numpy is not installed")
async def test_numpy_draws_different_numbers_in_different_sessions_and_kernels(place: Path) -> None:
    with_numpy = place / "numpy"
    with_numpy.mkdir()
    prefix = an_environment(with_numpy)
    environment = Environment(name="base", python=str(prefix / "bin" / "python"), preload=("numpy",))
    code = "import sys; warm = 'numpy' in sys.modules; import numpy; print(warm, numpy.random.random())"
    async with opened(with_numpy, environment) as spawner, visiting(spawner) as one, visiting(spawner) as other:
        drawn = [await visitor.run(code) for visitor in (one, one, other)]
        assert all(text.startswith("True") for text in drawn)
        assert len(set(drawn)) == 3


async def test_an_environment_without_jupyter_is_refused_with_the_place_of_its_log(place: Path) -> None:
    bare = place / "bare"
    venv.create(bare, symlinks=True)
    environment = Environment(name="bare", python=str(bare / "bin" / "python"))
    with pytest.raises(ProviderError, match=r"ModuleNotFoundError(.|\n)*bare\.log"):
        await ProcessSpawner.open(place / "b", [environment])


async def test_an_environment_whose_server_does_not_start_is_refused_with_the_place_of_its_log(place: Path) -> None:
    broken = place / "broken"
    broken.mkdir()
    prefix = an_environment(broken)
    settings = prefix / "etc" / "jupyter" / "jupyter_server_config.py"
    settings.parent.mkdir(parents=True)
    settings.write_text("raise SystemExit('the settings are wrong')")
    with pytest.raises(ProviderError, match="log"):
        await ProcessSpawner.open(place / "e", [Environment(name="base", python=str(prefix / "bin" / "python"))])
    assert "the settings are wrong" in (place / "e" / "base.log").read_text()


async def test_a_module_to_preload_that_is_not_there_is_named(place: Path) -> None:
    with pytest.raises(ProviderError, match="no_such_module"):
        await ProcessSpawner.open(place / "m", [Environment(name="base", preload=("no_such_module",))])


async def test_a_module_that_starts_threads_is_refused(place: Path) -> None:
    prefix = an_environment(place)
    code = "import threading, time; threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
    (packages_of(prefix) / "threaded.py").write_text(code)
    environment = Environment(name="base", python=str(prefix / "bin" / "python"), preload=("threaded",))
    with pytest.raises(ProviderError, match="threads"):
        await ProcessSpawner.open(place / "t", [environment])


async def test_an_interpreter_that_is_not_there_is_named(place: Path) -> None:
    environment = Environment(name="none", python="/no/such/python")
    with pytest.raises(ProviderError, match="/no/such/python"):
        await ProcessSpawner.open(place / "n", [environment])
