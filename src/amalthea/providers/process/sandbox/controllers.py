"""What the controllers' files are called in both versions: the limits to write, the figures to read.

Memory is limited together with swap. The sockets of TCP have a budget of their own in v1, and none unless it is set.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping

import msgspec

from amalthea.model.spawner import Limits
from amalthea.providers.process.sandbox.places import Place

PERIOD = 100_000
"""Microseconds over which the kernel shares out CPU time."""

_SHORTEST = 1_000
_TCP_SHARE = 4


class Setting(msgspec.Struct, frozen=True):
    """One value for one file; `otherwise` is written where the kernel calls the value invalid."""

    file: str
    value: str
    optional: bool = False
    otherwise: str = ""

    def write(self, directory: str) -> None:
        """Raises `OSError`, but not for an optional file that is not there."""
        try:
            write(f"{directory}/{self.file}", self.value)
        except FileNotFoundError:
            if not self.optional:
                raise
        except OSError as error:
            if not self.otherwise or error.errno != errno.EINVAL:
                raise
            write(f"{directory}/{self.file}", self.otherwise)


def write(path: str, text: str) -> None:
    """One write to a file that is there; raises `OSError`."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def settings(place: Place, limits: Limits) -> Iterator[Setting]:
    """What to write into a new group at this place."""
    if "memory" in place.controllers:
        yield from _memory(place.version, int(limits.memory))  # whose text is no number
    if "cpu" in place.controllers:
        yield from shares(place, limits.cpu)
    if "pids" in place.controllers:
        yield Setting("pids.max", str(limits.processes))


def _memory(version: int, size: int) -> Iterator[Setting]:
    if version == 2:
        yield Setting("memory.max", str(size))
        yield Setting("memory.swap.max", "0", optional=True)
        yield Setting("memory.oom.group", "0", optional=True)
        return
    yield Setting("memory.limit_in_bytes", str(size))
    yield Setting("memory.memsw.limit_in_bytes", str(size), optional=True)
    yield Setting("memory.kmem.tcp.limit_in_bytes", str(size // _TCP_SHARE), optional=True)


def shares(place: Place, cpu: float) -> Iterator[Setting]:
    """What to write so that a group has so many cores, one hundredth of one at least."""
    if "cpu" not in place.controllers:
        return
    quota = max(_SHORTEST, round(cpu * PERIOD))
    if place.version == 2:
        yield Setting("cpu.max", f"{quota} {PERIOD}")
    else:
        yield Setting("cpu.cfs_period_us", str(PERIOD))
        yield Setting("cpu.cfs_quota_us", str(quota), otherwise="-1")  # a group above allows less: that holds anyway


def figures(place: Place) -> Mapping[str, float]:
    """The fields of `Usage` that this place knows. Raises `OSError` once the group is gone."""
    unified = place.version == 2
    known = place.controllers | {"cpu"} if unified else place.controllers  # v2 counts time with no controller at all
    found: dict[str, float] = {}
    for controller, read in (_UNIFIED if unified else _READERS).items():
        if controller in known:
            found.update(read(place.directory))
    return found


def _memory_1(directory: str) -> Mapping[str, float]:
    idle = _table(f"{directory}/memory.stat").get("total_inactive_file", 0)
    used = max(0, _number(f"{directory}/memory.usage_in_bytes") - idle)
    return {"memory": used, "kills": _table(f"{directory}/memory.oom_control").get("oom_kill", 0)}


def _memory_2(directory: str) -> Mapping[str, float]:
    idle = _table(f"{directory}/memory.stat").get("inactive_file", 0)
    used = max(0, _number(f"{directory}/memory.current") - idle)
    return {"memory": used, "kills": _table(f"{directory}/memory.events").get("oom_kill", 0)}


def _time_1(directory: str) -> Mapping[str, float]:
    return {"cpu": _number(f"{directory}/cpuacct.usage") / 1e9}


def _time_2(directory: str) -> Mapping[str, float]:
    return {"cpu": _table(f"{directory}/cpu.stat")["usage_usec"] / 1e6}


def _processes(directory: str) -> Mapping[str, float]:
    return {"processes": _number(f"{directory}/pids.current")}


_READERS: Mapping[str, Callable[[str], Mapping[str, float]]] = {
    "memory": _memory_1,
    "cpuacct": _time_1,
    "pids": _processes,
}
_UNIFIED: Mapping[str, Callable[[str], Mapping[str, float]]] = {
    "memory": _memory_2,
    "cpu": _time_2,
    "pids": _processes,
}


def words(path: str) -> list[str]:
    """What a file holds, split at white space; raises `OSError`."""
    with open(path, encoding="ascii") as file:
        return file.read().split()


def _number(path: str) -> int:
    return int(words(path)[0])


def _table(path: str) -> dict[str, int]:
    found = words(path)
    return {name: int(value) for name, value in zip(found[::2], found[1::2], strict=False)}
