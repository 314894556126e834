"""What stands around a session, as found at one that runs: by the kernel's word where this process sees it.

A wall that was asked for is not yet one: an engine without the kernel's support only warns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amalthea.model.spawner import Guarantee, Limits
from amalthea.providers.docker import cgroup
from amalthea.providers.docker.recipe import HOME

PROMISES = {
    "files": "A session sees its own files and those of its image, and can change nothing of the latter.",
    "processes": "A session sees no process but its own.",
    "network": "A session has a network of its own, which leads nowhere but to the proxy.",
    "memory-segments": "A session shares no memory segment or queue with others.",
    "host-name": "A session has a host name of its own.",
    "user": "A session runs as a user that no other living session is.",
    "capabilities": "A session holds no right of the administrator's, and can get none back.",
    "no-new-privileges": "No program can give a session more rights than it has.",
    "system-calls": "System calls that notebooks do not need are refused.",
    "disk": "A session's files have a limit in bytes and in number, and are never on a disk.",
    "memory": "The memory of a session is limited, and swap is no way around that.",
    "cpu": "The CPU time of a session is limited.",
    "pids": "The number of a session's processes is limited.",
}
"""Every wall, and what it is for."""

_NOT_UP = "the engine did not put it up: see what `docker info` warns of"
_BY_WORD = "by the engine's word alone: the processes of its containers are not seen from here"
_NOT_HELD = {
    "network": "there can be no proxy: to place one takes root, in the process namespace of the engine",
    "disk": "without root, files are kept of a session that is stopped, and lost of one that ends by itself",
}


def maps_users(information: Mapping[str, Any]) -> bool:
    """Whether the engine gives containers a user namespace."""
    return any("userns" in one or "rootless" in one for one in information.get("SecurityOptions") or ())


def walls(
    inspected: Mapping[str, Any], information: Mapping[str, Any], *, limits: Limits, held: bool
) -> Sequence[Guarantee]:
    """The walls of one container that runs; `held` says whether its home and network are held by descriptor."""
    pid = int(inspected["State"]["Pid"])
    seen = cgroup.belongs(pid, str(inspected["Id"]))
    found = _by_engine(inspected, information)
    if seen:
        found |= _by_kernel(pid, limits)
    return [_guarantee(name, found[name], seen=seen, held=held) for name in PROMISES]


def weakest(found: Sequence[Sequence[Guarantee]]) -> Sequence[Guarantee]:
    """What holds in every one of several."""
    return [next((one for one in same if not one.holds), same[0]) for same in zip(*found, strict=True)]


def _guarantee(name: str, holds: bool, *, seen: bool, held: bool) -> Guarantee:
    remarks = ["" if seen else _BY_WORD, "" if held else _NOT_HELD.get(name, "")]
    detail = "; ".join(filter(None, remarks)) if holds else _NOT_UP
    return Guarantee(name=name, holds=holds, promise=PROMISES[name], detail=detail)


def _by_engine(inspected: Mapping[str, Any], information: Mapping[str, Any]) -> dict[str, bool]:
    given = inspected["HostConfig"]
    return {
        "files": bool(given.get("ReadonlyRootfs")),
        "processes": not given.get("PidMode"),
        "network": given.get("NetworkMode") == "none",
        "memory-segments": given.get("IpcMode") == "private",
        "host-name": not given.get("UTSMode"),
        "user": not str(inspected["Config"].get("User")).startswith(("0", "root")),
        "capabilities": "ALL" in (given.get("CapDrop") or ()),
        "no-new-privileges": "no-new-privileges" in (given.get("SecurityOpt") or ()),
        "system-calls": any("seccomp" in one for one in information.get("SecurityOptions") or ()),
        "disk": HOME in (given.get("Tmpfs") or {}),
        "memory": bool(information.get("MemoryLimit") and information.get("SwapLimit") and given.get("Memory")),
        "cpu": bool(information.get("CpuCfsQuota") and given.get("NanoCpus")),
        "pids": bool(information.get("PidsLimit") and given.get("PidsLimit")),
    }


def _by_kernel(pid: int, limits: Limits) -> dict[str, bool]:
    status = _status(pid)
    mounts = _mounts(pid)
    memory = cgroup.value(pid, "memory", old="memory.limit_in_bytes", new="memory.max")
    return {
        "files": "ro" in mounts.get("/", "").split(","),
        "processes": len(status["NSpid"].split()) > 1,
        "network": _interfaces(pid) == {"lo"},
        "user": "0" not in status["Uid"].split(),
        "capabilities": not any(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")),
        "no-new-privileges": status["NoNewPrivs"] == "1",
        "system-calls": status["Seccomp"] == "2",
        "disk": {"size", "nr_inodes"} <= {option.partition("=")[0] for option in mounts.get(HOME, "").split(",")},
        "memory": memory == str(int(limits.memory)) and _swapless(pid, limits),
        "cpu": _number(cgroup.value(pid, "cpu", old="cpu.cfs_quota_us", new="cpu.max")) > 0,
        "pids": cgroup.value(pid, "pids", old="pids.max", new="pids.max") == str(limits.processes),
    }


def _swapless(pid: int, limits: Limits) -> bool:
    swap = cgroup.value(pid, "memory", old="memory.memsw.limit_in_bytes", new="memory.swap.max")
    return swap in ("0", str(int(limits.memory))) or len(Path("/proc/swaps").read_text().splitlines()) < 2


def _status(pid: int) -> dict[str, str]:
    lines = (line.partition(":") for line in _read(pid, "status").splitlines())
    return {key: words.strip() for key, _, words in lines}


def _mounts(pid: int) -> dict[str, str]:
    """Where, and with what options: of the mount and of its file system, with commas."""
    words = (line.split() for line in _read(pid, "mountinfo").splitlines())
    return {one[4]: f"{one[5]},{one[-1]}" for one in words}


def _interfaces(pid: int) -> set[str]:
    return {line.partition(":")[0].strip() for line in _read(pid, "net/dev").splitlines() if ":" in line}


def _number(text: str) -> int:
    word = text.partition(" ")[0]
    return int(word) if word.isdecimal() else 0


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()
