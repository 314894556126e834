"""What a session takes: memory that it shares with nobody, as its processes and as its cgroup count it."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
import msgspec
import psutil

from benchmarks.report import median


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Of one session, in bytes: private to its processes, their share of what is shared, and what its cgroup says."""

    private: float
    proportional: float
    counted: float | None


def measured(port: int) -> tuple[Memory, int]:
    """The median of the sessions of the service with that administrators' port, and how many there are.

    The processes of a session are those below a child of a warm parent.
    """
    trees = [_tree(process) for process in _sessions(port)]
    busy = [(private, share) for private, share, processes in trees if processes > _IDLE]
    return Memory(
        private=median([private for private, _ in busy]),
        proportional=median([share for _, share in busy]),
        counted=counted(port),
    ), len(busy)


def counted(port: int) -> float | None:
    """The median of what the service says of its sessions, in bytes; None where it cannot know."""
    told = httpx2.get(f"http://127.0.0.1:{port}/-/sessions", trust_env=False).json()["sessions"]
    found = [one["usage"]["memory"] for one in told if one["usage"].get("memory")]
    return median(found) if found else None


_IDLE = 3
"""The processes of a session without kernels: the one outside its walls, pid 1, and the server."""


def _sessions(port: int) -> Sequence[psutil.Process]:
    listening = (one for one in psutil.net_connections("tcp") if one.status == "LISTEN")
    (service,) = {one.pid for one in listening if one.laddr and one.laddr.port == port}
    parents = [child for child in psutil.Process(service).children() if any("warm" in word for word in child.cmdline())]
    return [session for parent in parents for session in parent.children()]


def _tree(session: psutil.Process) -> tuple[int, int, int]:
    """Private and proportional bytes of all its processes, and how many there are."""
    found = [process.memory_full_info() for process in (session, *session.children(recursive=True))]
    return sum(one.uss for one in found), sum(one.pss for one in found), len(found)
