"""What the kernel says of a container's control group, in either of its two layouts."""

from __future__ import annotations

from pathlib import Path

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
