"""Which part of a v2 tree is ours to divide, and having its controllers there.

A cgroup of v2 that hands controllers down holds no process itself, but for the root of all. So the processes of the
one that was delegated to us move into a leaf of it, and groups stand beside that leaf. Delegated is what the service
manager marked so, the top of what a container sees, what our user owns, and the root where nobody else rules it.
"""

from __future__ import annotations

import os
import posixpath
from contextlib import suppress

from amalthea.model.errors import ProviderError
from amalthea.providers.process.sandbox.controllers import words, write
from amalthea.providers.process.sandbox.eviction import processes
from amalthea.providers.process.sandbox.places import Place

LEAF = "amalthea.own"
_MARKS = ("trusted.delegate", "user.delegate")
_ROUNDS = 20


def base(own: Place) -> Place:
    """Where groups may be made, for a process whose own cgroup is this. Raises `ProviderError` where nowhere."""
    above = posixpath.dirname(own.directory)
    if posixpath.basename(own.directory) == LEAF or (not own.top and _marked(above)):
        return Place(version=2, controllers=frozenset(), directory=above)
    if own.top or _marked(own.directory) or _owned(own.directory):
        return own
    raise ProviderError(
        "this cgroup belongs to the service manager",
        where=own.directory,
        hint="Start amalthea in one that is delegated: a unit with Delegate=yes, or `systemd-run -p Delegate=yes`.",
    )


def _marked(directory: str) -> bool:
    for name in _MARKS:
        with suppress(OSError):
            if os.getxattr(directory, name) == b"1":
                return True
    return False


def _owned(directory: str) -> bool:
    return os.geteuid() != 0 and os.stat(directory).st_uid == os.geteuid() and os.access(directory, os.W_OK)


def offered(place: Place) -> frozenset[str]:
    """The controllers that could be handed down from here. Raises `OSError`."""
    return frozenset(words(f"{place.directory}/cgroup.controllers"))


def enabled(place: Place) -> frozenset[str]:
    """The controllers that groups below this one have. Raises `OSError`."""
    return frozenset(words(f"{place.directory}/cgroup.subtree_control"))


def hand_down(place: Place, controllers: frozenset[str]) -> None:
    """Let groups below this one have these controllers. Raises `OSError` when the kernel refuses one."""
    missing = controllers - enabled(place)
    if missing and _is_inner(place.directory):
        _move_into_leaf(place.directory)
    for controller in sorted(missing):
        write(f"{place.directory}/cgroup.subtree_control", f"+{controller}")


def _is_inner(directory: str) -> bool:
    """The root of all is the one without a type, and may hold processes."""
    return os.path.exists(f"{directory}/cgroup.type")


def _move_into_leaf(directory: str) -> None:
    """Every process; again, as what forks meanwhile leaves its child behind."""
    for _ in range(_ROUNDS):
        pids = processes(directory)
        if not pids:
            return
        with suppress(FileExistsError):
            os.mkdir(f"{directory}/{LEAF}", 0o755)
        for pid in pids:
            with suppress(ProcessLookupError):
                write(f"{directory}/{LEAF}/cgroup.procs", str(pid))
