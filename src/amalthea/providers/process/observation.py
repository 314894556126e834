"""What runs, as the process table shows it.

A process counts when its environment names the fleet's directory and all its user ids are ours: anyone may
write our names into the environment of a process of their own. Everything about one process is read through
one descriptor of its `/proc` directory, so a number that is used again cannot mix two processes; the number
together with the moment of birth is an identity.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec
import psutil

from amalthea.model.workload import Running, State
from amalthea.providers.process.identity import EXEC_PID, FLEET_DIRECTORY, KEEPER, Identity
from amalthea.providers.process.log import Log


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One process. `born` is in clock ticks since the machine started; `program` means the child itself."""

    pid: int
    born: int
    group: int
    session: int
    frozen: bool
    keeper: bool
    program: bool
    identity: Identity


def scan(directory: str) -> list[Sighting]:
    """Every process of the fleet in `directory`, by age. A process that vanishes meanwhile is left out."""
    marker = f"\0{FLEET_DIRECTORY}={directory}\0".encode(errors="surrogateescape")
    found = (_sight(pid, marker) for pid in psutil.pids())
    return sorted((one for one in found if one is not None), key=lambda one: (one.born, one.pid))


def _sight(pid: int, marker: bytes) -> Sighting | None:
    try:
        proc = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        if os.fstat(proc).st_uid != os.geteuid():
            return None
        environment = b"\0" + _read(proc, "environ")
        if marker not in environment or not _ours(proc):
            return None
        return _sighting(pid, environment, _read(proc, "stat"))
    except OSError:
        return None
    finally:
        os.close(proc)


def _read(proc: int, name: str) -> bytes:
    file = os.open(name, os.O_RDONLY, dir_fd=proc)
    try:
        parts = []
        while part := os.read(file, 1 << 18):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(file)


def _ours(proc: int) -> bool:
    """The directory's owner is the effective user alone: who runs a setuid program gives it its environment."""
    status = _read(proc, "status")
    ids = status.partition(b"\nUid:")[2].partition(b"\n")[0].split()
    return len(ids) == 4 and all(int(one) == os.geteuid() for one in ids)


def _sighting(pid: int, environment: bytes, stat: bytes) -> Sighting | None:
    pairs = (line.partition("=") for line in os.fsdecode(environment).split("\0"))
    variables = {name: text for name, _, text in pairs}
    identity = Identity.read(variables)
    fields = stat.rpartition(b")")[2].split()
    if identity is None or fields[0] in (b"Z", b"X"):
        return None
    keeper = variables.get("AMALTHEA_ROLE") == KEEPER
    return Sighting(
        pid=pid,
        born=int(fields[19]),
        group=int(fields[2]),
        session=int(fields[3]),
        frozen=fields[0] in (b"T", b"t"),
        keeper=keeper,
        program=not keeper and variables.get(EXEC_PID) == str(pid),
        identity=identity,
    )


def by_key(sightings: Iterable[Sighting]) -> dict[str, list[Sighting]]:
    """The processes of each workload."""
    found: dict[str, list[Sighting]] = {}
    for one in sightings:
        found.setdefault(one.identity.key, []).append(one)
    return found


def state_of(processes: Iterable[Sighting]) -> State:
    """What the processes of one workload amount to."""
    if not any(one.keeper for one in processes):
        return State.ORPHANED
    return State.RUNNING if any(one.program for one in processes) else State.RESTARTING


def leftovers(processes: list[Sighting]) -> list[Sighting]:
    """What a program that is gone has left running, when no keeper looks after it."""
    return [] if any(one.keeper or one.program for one in processes) else processes


def describe(processes: list[Sighting], log: Log) -> Running:
    """One workload, from all its processes: the keeper first, then the program, then what that started."""
    ordered = sorted(processes, key=lambda one: (not one.keeper, not one.program, one.born))
    program = next((one for one in ordered if one.program), ordered[0])
    state = state_of(ordered)
    return Running(
        key=program.identity.key,
        name=program.identity.name,
        service=program.identity.service,
        state=state,
        ports=program.identity.ports,
        pids=tuple(one.pid for one in ordered),
        started=datetime.fromtimestamp(psutil.boot_time() + program.born / os.sysconf("SC_CLK_TCK"), UTC),
        memory=_memory(ordered),
        detail=_detail(state, ordered, log),
    )


def _detail(state: State, processes: list[Sighting], log: Log) -> str:
    if state is State.ORPHANED:
        return "its keeper is gone"
    if state is State.RESTARTING:
        return log.last_ending()
    frozen = [str(one.pid) for one in processes if one.frozen]
    return f"frozen by a signal: process {', '.join(frozen)}" if frozen else ""


def _memory(processes: Iterable[Sighting]) -> int | None:
    known = [size for one in processes if (size := _share(one.pid)) is not None]
    return sum(known) if known else None


def _share(pid: int) -> int | None:
    """The proportional set size in bytes; pages shared by n processes count 1/n each."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            lines: Mapping[bytes, bytes] = dict(line.split(b":", 1) for line in file.read().splitlines()[1:])
    except OSError:
        return None
    return int(lines[b"Pss"].split()[0]) * 1024
