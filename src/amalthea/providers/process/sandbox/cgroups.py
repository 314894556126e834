"""Memory, CPU time and processes, limited and counted for all that one session runs, by the kernel's cgroups.

Which controllers there are, and in which version, is found out for each of them: hybrids exist. What is made stands
below the own cgroup of this process, in a directory for each owner and hierarchy:

    <own cgroup>/amalthea.<owner>.<random>/group.<session>

Everything here blocks, for milliseconds; `kill`, `remove` and `find` for seconds at worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Limits, Usage
from amalthea.providers.process.identity import plain
from amalthea.providers.process.sandbox import controllers, delegation
from amalthea.providers.process.sandbox.branch import PATIENCE_SECONDS, Branch, remove, sweep
from amalthea.providers.process.sandbox.eviction import evict
from amalthea.providers.process.sandbox.places import Place, first, places, unified

CONTROLLERS = ("pids", "memory", "cpu")
"""What a session is limited by. Processes come first: where they are limited, killing them all is sure to end."""

_EXTRA = "cpuacct"
_ADVICE = "start amalthea as root, or in a cgroup that is delegated to its user (a unit with Delegate=yes)"


class Group:
    """The processes of one session, and all that they start."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = tuple(places)

    @property
    def directories(self) -> tuple[str, ...]:
        """Its cgroups: one, or one for each controller."""
        return tuple(place.directory for place in self._places)

    @property
    def join_files(self) -> tuple[str, ...]:
        """A process of one thread writes `0` into each of these to join, and all its children are members.

        Its number does as well as `0`, but takes the kernel tens of milliseconds in v1.
        """
        return tuple(f"{place.directory}/{_JOIN[place.version]}" for place in self._places)

    def usage(self) -> Usage:
        """What it uses and has used, None for what no controller counts; a thread counts as a process.

        Raises `ProviderError` once it was removed.
        """
        found: dict[str, Any] = {}
        try:
            for place in self._places:
                found.update(controllers.figures(place))
        except OSError as error:
            raise ProviderError(f"there is no such cgroup: {error.strerror}", where=self.directories[0]) from error
        return Usage(**found)

    def throttle(self, cpu: float) -> None:
        """Leave it so many cores from now on, where they are limited at all. Raises `ProviderError`."""
        for place in self._places:
            _apply(place, controllers.shares(place, cpu))

    def kill(self, *, patience: float = PATIENCE_SECONDS) -> None:
        """End every process in it; none is left on return, and none can be made in it again.

        Raises `ProviderError` when one outlives `patience` seconds.
        """
        evict(self.directories, patience=patience)

    def remove(self) -> None:
        """Take the empty group away; one that is not there is success. Raises `ProviderError` when it is in use."""
        remove(self.directories)


_JOIN = {1: "tasks", 2: "cgroup.procs"}


class Cgroups:
    """The groups of one owner. Whoever found it closes it."""

    def __init__(self, branches: Iterable[Branch], available: Mapping[str, str]) -> None:
        self._branches = list(branches)
        self.available: Mapping[str, str] = available
        """`memory`, `cpu` and `pids`: empty where groups are limited by it, else why not and what to do."""

    @classmethod
    def find(cls, name: str) -> Cgroups:
        """Look for the controllers of this machine, and clean up after owners that are dead.

        `name` shows in the directories' names; two owners of one name do not meet. Raises `ProviderError` for a name
        that is not plain. What is missing is no error, see `available`.
        """
        plain(name, "the name of an owner of cgroups")
        return cls.below(_own(), name)

    @classmethod
    def below(cls, own: Iterable[Place], name: str) -> Cgroups:
        """The same, below cgroups that are named by whoever asks."""
        found = list(own)
        branches: list[Branch] = []
        available = {one: f"no {one} controller of cgroups is mounted here" for one in CONTROLLERS}
        for base in _version_1(found):
            _settle(base, name, branches=branches, available=available)
        if any(available.values()) and (tree := unified(found)) is not None:
            _settle_unified(tree, name, branches=branches, available=available)
        return cls(branches, available)

    def make(self, name: str, limits: Limits) -> Group:
        """A new group with its limits set. Raises `ProviderError` when there is one, or a limit is not taken."""
        plain(name, "the name of a session")
        made: list[Place] = []
        try:
            for branch in self._branches:
                made.append(branch.make(name))
                _apply(made[-1], controllers.settings(made[-1], limits))
        except OSError as error:
            remove([place.directory for place in made])
            raise ProviderError(f"cannot make a cgroup: {error.strerror}", where=name) from error
        except ProviderError:
            remove([place.directory for place in made])
            raise
        return Group(made)

    def close(self) -> None:
        """Remove what is empty. A group with processes in it stays, until somebody else looks for cgroups here."""
        while self._branches:
            self._branches.pop().close()


def _own() -> list[Place]:
    with suppress(OSError):
        return places(_text("mountinfo"), _text("cgroup"))
    return []


def _text(name: str) -> str:
    """Paths need not be UTF-8."""
    return Path("/proc/self", name).read_text("utf-8", errors="surrogateescape")


def _version_1(own: Iterable[Place]) -> list[Place]:
    """Where v1 keeps our controllers, each directory once."""
    found = list(own)
    chosen = (first(found, controller) for controller in (*CONTROLLERS, _EXTRA))
    return list({place.directory: place for place in chosen if place is not None}.values())


def _settle(base: Place, name: str, *, branches: list[Branch], available: dict[str, str]) -> None:
    """Claim a branch at this place, and write down what came of it."""
    try:
        sweep(base)
        branches.append(Branch.claim(base, name))
        reason = ""
    except OSError as error:
        reason = _reason(base, error)
    available.update(dict.fromkeys(base.controllers & available.keys(), reason))


def _settle_unified(tree: Place, name: str, *, branches: list[Branch], available: dict[str, str]) -> None:
    """What v1 does not have, from v2."""
    missing = [one for one, reason in available.items() if reason]
    try:
        base = delegation.base(tree)
        offered = delegation.offered(base)
    except OSError as error:
        available.update(dict.fromkeys(missing, _reason(tree, error)))
    except ProviderError as error:
        available.update(dict.fromkeys(missing, str(error)))
    else:
        available.update({one: _withheld(base, one) for one in missing})
        handed = frozenset(one for one in missing if one in offered and _handed_down(base, one, available))
        if handed:
            _settle(msgspec.structs.replace(base, controllers=handed), name, branches=branches, available=available)


def _handed_down(base: Place, controller: str, available: dict[str, str]) -> bool:
    try:
        delegation.hand_down(base, frozenset((controller,)))
    except OSError as error:
        available[controller] = _reason(base, error)
        return False
    return True


def _withheld(base: Place, controller: str) -> str:
    return f"{base.directory} has no {controller} controller; delegate it as well (Delegate=pids memory cpu)"


def _reason(place: Place, error: OSError) -> str:
    return f"cannot make cgroups in {place.directory}: {error.strerror}; {_ADVICE}"


def _apply(place: Place, settings: Iterable[controllers.Setting]) -> None:
    for setting in settings:
        try:
            setting.write(place.directory)
        except OSError as error:
            raise ProviderError(
                f"cannot set {setting.file} to {setting.value}: {error.strerror}",
                where=place.directory,
                hint="See what the cgroup above it allows.",
            ) from error
