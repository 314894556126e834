"""Ending every process in a cgroup, also one that makes new ones as fast as they are killed."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from amalthea.model.errors import ProviderError
from amalthea.providers.process.sandbox.controllers import words, write

GONE = frozenset((errno.ENOENT, errno.ENODEV))
"""What the kernel says of a file of a group that was removed: before, and after it was opened."""

_LOOK_AGAIN_SECONDS = 0.005
_AT_ONCE = 100


def evict(directories: Sequence[str], *, patience: float) -> None:
    """Kill all in these cgroups; none is left when it returns. Blocks for `patience` seconds at most.

    Raises `ProviderError` when something outlives that.
    """
    until = time.monotonic() + patience
    for directory in directories:
        _admit_no_more(directory)
    while left := [directory for directory in directories if _strike(directory)]:
        if time.monotonic() > until:
            raise ProviderError(
                f"processes outlived being killed for {patience:g} s",
                where=left[0],
                hint="They wait in the kernel, for a disk perhaps; see `cgroup.procs` there.",
            )
        time.sleep(_LOOK_AGAIN_SECONDS)


def _admit_no_more(directory: str) -> None:
    """Nothing in it can fork from now on, where the number of processes is limited at all."""
    with suppress(OSError):
        write(f"{directory}/pids.max", "0")


def _strike(directory: str) -> bool:
    """Kill what is in it now; whether anything was."""
    try:
        inhabited = _populated(directory)
        if inhabited and not _killed_at_once(directory):
            _kill_each(directory)
    except OSError as error:
        if error.errno not in GONE:
            raise
        return False
    return inhabited


def _populated(directory: str) -> bool:
    try:
        found = words(f"{directory}/cgroup.events")
    except FileNotFoundError:
        return bool(words(f"{directory}/cgroup.procs"))
    return found[found.index("populated") + 1] == "1"


def _killed_at_once(directory: str) -> bool:
    try:
        write(f"{directory}/cgroup.kill", "1")
    except OSError:
        return False
    return True


def _kill_each(directory: str) -> None:
    pids = processes(directory)
    for start in range(0, len(pids), _AT_ONCE):
        held = dict(_hold(pids[start : start + _AT_ONCE]))
        try:
            # A number may have passed to another process before it was held: only who is still inside is meant.
            for pid in held.keys() & set(processes(directory)):
                with suppress(OSError):
                    signal.pidfd_send_signal(held[pid], signal.SIGKILL)
        finally:
            for descriptor in held.values():
                os.close(descriptor)


def _hold(pids: Sequence[int]) -> Iterator[tuple[int, int]]:
    for pid in pids:
        with suppress(OSError):
            yield pid, os.pidfd_open(pid)


def processes(directory: str) -> list[int]:
    """The processes of a cgroup, but those of other PID namespaces. Raises `OSError`."""
    return [int(word) for word in words(f"{directory}/cgroup.procs") if word != "0"]
