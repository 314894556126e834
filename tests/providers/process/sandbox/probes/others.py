"""Processes: those of others, and those of the session that its visitor does not command."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .attempts import called, read, worked, write

_NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")


def pids() -> list[int]:
    """Every process that is seen."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def statuses() -> dict[int, dict[str, str]]:
    """What the kernel says of each process that is seen, and of one that was just started."""
    child = subprocess.Popen(["sleep", "60"])
    try:
        return {pid: _status(pid) for pid in pids()}
    finally:
        child.kill()
        child.wait()


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def reached(numbers: Sequence[int]) -> list[str]:
    """What can be done to processes with these numbers, but for those that are seen."""
    return [f"{deed} {pid}" for pid in set(numbers) - _own() for deed in deeds(pid)]


def _own() -> set[int]:
    """Threads have numbers as well."""
    return {int(task) for pid in pids() for task in os.listdir(f"/proc/{pid}/task")}


def deeds(pid: int) -> list[str]:
    """What can be done to a process. To trace it stops it."""
    attempts: dict[str, tuple[Any, ...]] = {
        "signal": (os.kill, pid, 0),
        "pidfd": (os.pidfd_open, pid),
        "priority": (os.getpriority, os.PRIO_PROCESS, pid),
        "affinity": (os.sched_getaffinity, pid),
        "session": (os.getsid, pid),
        **{name: (read, f"/proc/{pid}/{name}") for name in ("mem", "environ", "root")},
    }
    return [name for name, (attempt, *words) in attempts.items() if worked(attempt, *words)] + _peeked(pid)


def _peeked(pid: int) -> list[str]:
    traced = called("ptrace", 16, pid, None, None) == 0
    return ["trace"] * traced + ["read memory"] * (_memory_read(pid) in (0, errno.EFAULT))


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _memory_read(pid: int) -> int:
    """Read eight bytes of its memory, at an address of this process: that one has nothing there is said to who may."""
    into, there = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    own, other = _Vector(ctypes.addressof(into), 8), _Vector(ctypes.addressof(there), 8)
    return called("process_vm_readv", pid, ctypes.byref(own), 1, ctypes.byref(other), 1, 0)


def opened_up() -> list[str]:
    """What of pid 1 and of the server, which are the same user, can be read, changed, traced or entered."""
    found = []
    for pid in (1, 2):
        names = ("mem", "environ", "maps", "auxv", "fd", "root", "cwd", "exe", *(f"ns/{kind}" for kind in _NAMESPACES))
        found += [f"{name} {pid}" for name in names if worked(read, f"/proc/{pid}/{name}")]
        names = ("mem", "oom_score_adj", "clear_refs", "coredump_filter", "comm")
        found += [f"write {name} {pid}" for name in names if worked(write, f"/proc/{pid}/{name}")]
        found += [f"{deed} {pid}" for deed in _peeked(pid)]
    return found


def foreign_descriptors() -> list[str]:
    """Files and directories that any readable process has open, and that are not what stands there in the session."""
    links = [f"/proc/{pid}/fd/{name}" for pid in pids() for name in _listed(f"/proc/{pid}/fd")]
    return [target for link in links if (target := _target(link)).startswith("/") and not _same(link, target)]


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""  # closed meanwhile


def _same(link: str, target: str) -> bool:
    """A file that was deleted, or made in memory, stands nowhere but is the session's own."""
    if target.endswith(" (deleted)"):
        return True
    try:
        return os.path.samefile(link, target)
    except OSError:
        return not os.path.lexists(link)


def kill_everybody() -> None:
    """Kill all that can be killed, but for this process itself."""
    if os.fork() == 0:
        os.kill(-1, 9)
        os._exit(0)
