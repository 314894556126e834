"""What there is of sessions on this machine: their processes, their cgroups, and what their service holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.system.laptop import Laptop

_GROUPS = "/sys/fs/cgroup"


def family(fleet: Laptop, site: str = "") -> Sequence[psutil.Process]:
    """Every process of a fleet or of one site, with the sessions that it runs, whose environment says nothing."""
    found = dict[int, psutil.Process]()
    for process in fleet.processes(site):
        with suppress(psutil.NoSuchProcess):
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return list(found.values())


def kill(processes: Iterable[psutil.Process]) -> None:
    """All at once, as when the power goes."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def living(processes: Iterable[psutil.Process]) -> Sequence[psutil.Process]:
    """Those that still run."""
    return [one for one in processes if one.is_running() and _state(one) != psutil.STATUS_ZOMBIE]


def _state(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return str(psutil.STATUS_ZOMBIE)


def groups(sessions: Collection[str]) -> Sequence[str]:
    """The cgroups of these sessions."""
    wanted = {f"group.{name}" for name in sessions}
    return [directory for directory, _, _ in os.walk(_GROUPS) if Path(directory).name in wanted]


def service(fleet: Laptop, site: str = "north") -> psutil.Process:
    """The process that answers visitors at a site."""
    (found,) = [one for one in fleet.processes(site) if one.environ().get("AMALTHEA_ROLE") != "keeper"]
    return found


def until(done: Callable[[], object], *, seconds: float = 20) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)
