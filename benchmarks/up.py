"""What the laptop fleet costs: time from the command to the first page, processes, and the memory of each.

The first row of times is `make up` in a copy of this repository without an environment, everything installed from
the lock file; the second is the same command again. `--quick` starts `amalthea up` of this environment instead.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import psutil

from benchmarks.report import Report, Table, Target, median
from tests.machine import free_ports

HERE = Path(__file__).parent.parent
PAGE = "/sample"


def run(*, quick: bool) -> Report:
    """Start it and count."""
    with tempfile.TemporaryDirectory(prefix="amalthea") as name:
        if quick:
            fresh, again = None, [_first_page([str(HERE / ".venv/bin/amalthea"), "up"], Path(name)) for _ in range(3)]
        else:
            copy = _copy_to(Path(name) / "amalthea")
            fresh, *again = [_first_page(["make", "up"], copy) for _ in range(6)]
    processes = again[-1][1]
    seconds = median([took for took, _ in again])
    times = [("again", seconds, max(took for took, _ in again))]
    targets = [Target(name="first page, again, s", measured=seconds, at_most=5)]
    if fresh is not None:
        times.insert(0, ("without an environment", fresh[0], fresh[0]))
        targets.insert(0, Target(name="first page, without an environment, s", measured=fresh[0], at_most=60))
    return Report(
        name="up",
        tables=(
            Table(title="From `make up` to the first page", columns=("", "median s", "worst s"), rows=tuple(times)),
            Table(
                title=f"{len(processes)} processes, {sum(m for _, m in processes):.0f} MB (proportional share)",
                columns=("process", "MB"),
                rows=tuple(processes),
            ),
        ),
        targets=tuple(targets),
    )


def _copy_to(copy: Path) -> Path:
    """The files of this repository, and nothing that was built from them."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, capture_output=True, check=True).stdout
    for file in filter(None, files.decode().split("\0")):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HERE / file, copy / file)
    return copy


def _first_page(command: list[str], at: Path) -> tuple[float, list[tuple[str, float]]]:
    """Seconds to the first page, and every process with its memory once all is up."""
    (port,) = free_ports(1)
    text = subprocess.run(
        [str(HERE / ".venv/bin/amalthea"), "init", "--dry-run"], capture_output=True, text=True, check=True
    ).stdout
    (at / "fleet.toml").write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    began = time.perf_counter()
    with _running(command, at) as pid:
        _page(port, within=300)
        took = time.perf_counter() - began
        time.sleep(3)
        return took, _memory(pid, at)


@contextmanager
def _running(command: list[str], at: Path) -> Iterator[int]:
    # Nothing from earlier downloads: a fresh machine has none.
    clean = {**os.environ, "PIP_NO_CACHE_DIR": "1"}
    started = subprocess.Popen(command, cwd=at, stdout=subprocess.DEVNULL, start_new_session=True, env=clean)
    try:
        yield started.pid
    finally:
        os.killpg(started.pid, signal.SIGINT)
        started.wait(30)


def _page(port: int, *, within: float) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            answer = httpx2.get(f"http://127.0.0.1:{port}{PAGE}", headers={"host": f"nbviewer.localhost:{port}"})
            if answer.status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.02)
    raise TimeoutError(f"no page within {within} s")


def _memory(command: int, at: Path) -> list[tuple[str, float]]:
    """The command itself, all whose environment says that they belong to the fleet there, and what they started."""
    names, others = dict[int, str](), dict[psutil.Process, list[int]]()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            told, above = process.environ(), [parent.pid for parent in process.parents()]
            if Path(told.get("AMALTHEA_FLEET_DIRECTORY", "/")).is_relative_to(at.resolve()):
                keeper = "its keeper" * (told.get("AMALTHEA_ROLE") == "keeper")
                words = (told.get("AMALTHEA_SITE", ""), told.get("AMALTHEA_NAME", ""), keeper)
                names[process.pid] = " ".join(filter(None, words))
            elif command in (process.pid, *above) and process.name() != "make":
                names[process.pid] = "amalthea up"
            else:
                others[process] = above
    own = {
        process.pid: f"{names[elder]}, one of its own"
        for process, above in others.items()
        if (elder := next((pid for pid in above if pid in names), 0))
    }
    return sorted((name, psutil.Process(pid).memory_full_info().pss / 1e6) for pid, name in (names | own).items())
