"""Which walls stand around this process: it looks for itself, from inside, once they are up.

Each is named and promised here; `examine` finds out. The limits of cgroups are known outside, see `cgroups`.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

KINDS = ("mnt", "pid", "net", "ipc", "uts")
"""The namespaces that a session has of its own, as `/proc/self/ns` calls them."""

PROMISES = {
    "files": "A session sees its own files and what is installed, and can change nothing of the latter.",
    "processes": "A session sees no process but its own.",
    "network": "A session has a network of its own, which leads nowhere but to the proxy.",
    "memory-segments": "A session shares no memory segment or queue with others.",
    "host-name": "A session has a host name of its own.",
    "user": "A session runs as a user that no other living session is, or in a user namespace of its own.",
    "capabilities": "A session holds no right of the administrator's, and can get none back.",
    "no-new-privileges": "No program can give a session more rights than it has.",
    "system-calls": "System calls that notebooks do not need are refused.",
    "disk": "A session's files have a limit in bytes and in number, and are never on a disk.",
    "memory": "The memory of a session is limited.",
    "cpu": "The CPU time of a session is limited.",
    "pids": "The number of a session's processes is limited.",
}
"""Every wall, and what it is for."""

_FORBIDDEN = {errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.EAFNOSUPPORT}
_DOCUMENTATION_ADDRESS = ("192.0.2.1", 9)


def outside() -> dict[str, str]:
    """The namespaces of this process, to be told from those inside later."""
    return {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in (*KINDS, "user")}


def examine(before: Mapping[str, str], *, uid: int, disk: int) -> dict[str, str]:
    """For each wall that can be seen from inside: empty where it stands, else why it does not.

    `before` is what `outside` said, `uid` the one that this process should have, -1 for none, `disk` the limit of its
    home in bytes.
    """
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    looks: dict[str, Callable[[], str]] = {
        "files": lambda: _own("mnt", before) or _root(),
        "processes": lambda: _own("pid", before) or _alone(),
        "network": lambda: _own("net", before) or _no_way_out(),
        "memory-segments": lambda: _own("ipc", before),
        "host-name": lambda: _own("uts", before),
        "user": lambda: _user(before, uid),
        "capabilities": lambda: _capabilities(status),
        "no-new-privileges": lambda: "" if status.get("NoNewPrivs") == "1" else "it is not set",
        "system-calls": lambda: "" if status.get("Seccomp") == "2" else "no filter is in force",
        "disk": lambda: _limited(disk),
    }
    return {name: _looked(look) for name, look in looks.items()}


def _looked(look: Callable[[], str]) -> str:
    try:
        return look()
    except OSError as error:
        return f"it cannot be seen: {error}"


def _own(kind: str, before: Mapping[str, str]) -> str:
    return "" if os.readlink(f"/proc/self/ns/{kind}") != before[kind] else f"the {kind} namespace is the machine's own"


def _root() -> str:
    return "" if os.statvfs("/").f_flag & os.ST_RDONLY else "the root can be written"


def _alone() -> str:
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    return f"{len(others)} other processes are seen" if others else ""


def _no_way_out() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_DOCUMENTATION_ADDRESS)
        except OSError as error:
            return "" if error.errno in _FORBIDDEN else str(error)
    return "there is a route out"


def _user(before: Mapping[str, str], uid: int) -> str:
    if uid < 0:
        return _own("user", before)
    identity = {*os.getresuid(), *os.getresgid()}
    return "" if identity == {uid} and not os.getgroups() else f"it runs as {sorted(identity)}"


def _capabilities(status: Mapping[str, str]) -> str:
    held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status.get(name, "0"), 16)]
    return f"there is something in {', '.join(held)}" if held else ""


def _limited(disk: int) -> str:
    found = os.statvfs(".")
    size = found.f_blocks * found.f_frsize
    return "" if size <= disk + found.f_frsize else "the home has no limit of its own"
