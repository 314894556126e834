"""What the kernel says of a container's control group, in either of its two layouts."""

from __future__ import annotations

from pathlib import Path

from amalthea.model.spawner import Usage

_ROOT = Path("/sys/fs/cgroup")


def belongs(pid: int, container: str) -> bool:
    """Whether the process is one of that container's, by its id."""
    return any(container in path for path in _paths(pid).values())


def value(pid: int, controller: str, *, old: str, new: str) -> str:
    """A file of the process's group: `old` where each controller has its own tree, `new` where all share one.

    Empty where there is none.
    """
    paths = _paths(pid)
    where = _ROOT / controller / paths[controller].lstrip("/") / old if controller in paths else _unified(paths, new)
    try:
        return where.read_text().strip()
    except OSError:
        return ""


def counted(text: str, key: str) -> int | None:
    """The number beside a key, in a file of such pairs."""
    found = (line.split() for line in text.splitlines())
    return next((int(words[1]) for words in found if len(words) == 2 and words[0] == key), None)


def kills(pid: int) -> int | None:
    """How many processes of the group were ended for want of memory."""
    return counted(value(pid, "memory", old="memory.oom_control", new="memory.events"), "oom_kill")


def used(pid: int) -> Usage | None:
    """What the group of that process uses; None where this machine does not say."""
    memory = _number(value(pid, "memory", old="memory.usage_in_bytes", new="memory.current"))
    numbers = value(pid, "memory", old="memory.stat", new="memory.stat")
    cached = counted(numbers, "total_inactive_file") or counted(numbers, "inactive_file") or 0
    if memory is None:
        return None
    return Usage(
        memory=max(memory - cached, 0),
        cpu=_cpu(value(pid, "cpuacct", old="cpuacct.usage", new="cpu.stat")),
        processes=_number(value(pid, "pids", old="pids.current", new="pids.current")),
        kills=kills(pid),
    )


def _cpu(text: str) -> float | None:
    """Seconds: from one number of nanoseconds, or from the microseconds among several."""
    nanoseconds, microseconds = _number(text), counted(text, "usage_usec")
    if nanoseconds is not None:
        return nanoseconds / 10**9
    return None if microseconds is None else microseconds / 10**6


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _unified(paths: dict[str, str], name: str) -> Path:
    return _ROOT / paths.get("", "").lstrip("/") / name


def _paths(pid: int) -> dict[str, str]:
    """Controller to path; the shared tree has no name."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return {}
    parts = (line.split(":", 2) for line in lines)
    return {controller: path for _, names, path in parts for controller in names.split(",")}
