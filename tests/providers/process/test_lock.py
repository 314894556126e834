"""One start at a time: the lock that ends with its holder."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.providers.process.lock import held


def test_one_holder_at_a_time_and_no_file_afterwards(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "run" / "one.lock", [0], [0]

    def work() -> None:
        for _ in range(20):
            with held(path):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert most == [1]
    assert not path.exists()


async def test_who_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    with held(path), pytest.raises(ProviderError, match="starting it just now"):
        await asyncio.to_thread(wait_shortly, path)


def wait_shortly(path: Path) -> None:
    with held(path, patience=0.1):
        pass


def test_the_lock_of_a_killed_command_is_free_though_its_file_is_there(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    script = (
        "import sys, time; from pathlib import Path; from amalthea.providers.process.lock import held\n"
        "with held(Path(sys.argv[1])): print(flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ProviderError):
            wait_shortly(path)
        holder.kill()
    assert path.exists()
    wait_shortly(path)
    assert not path.exists()


async def test_who_waits_gets_the_lock_after_a_holder_that_swept_its_directory_away(tmp_path: Path) -> None:
    path = tmp_path / "run" / "one.lock"
    with held(path):
        waiting = asyncio.create_task(asyncio.to_thread(wait_long, path))
        await asyncio.sleep(0.1)
        for _ in range(50):
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            await asyncio.sleep(0.002)
    await waiting


def wait_long(path: Path) -> None:
    with held(path, patience=10):
        pass
