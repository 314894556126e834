"""What one owner has in one hierarchy: a directory with a group for each session in it.

The directory is locked (`flock`) for as long as its owner lives, so the lock tells whose owner is dead, whichever PID
namespace it was in and whoever has its number now. A lock passes to what the owner forks, and ends when that
executes a program.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from amalthea.model.errors import ProviderError
from amalthea.providers.process.sandbox import delegation
from amalthea.providers.process.sandbox.eviction import evict
from amalthea.providers.process.sandbox.places import Place

PATIENCE_SECONDS = 5.0
_PREFIX = "amalthea."
_GROUP = "group."
_TRIES = 20
_LOOK_AGAIN_SECONDS = 0.005


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """`lock` is the open descriptor that says its owner lives."""

    place: Place
    lock: int

    @classmethod
    def claim(cls, base: Place, owner: str) -> Branch:
        """A new one below `base`, whose controllers its groups will have. Raises `OSError`."""
        for _ in range(_TRIES):
            directory = f"{base.directory}/{_PREFIX}{owner}.{secrets.token_hex(4)}"
            os.mkdir(directory, 0o700)
            if (lock := _lock(directory)) is not None:
                branch = cls(place=msgspec.structs.replace(base, directory=directory, top=False), lock=lock)
                branch._prepare()
                return branch
        raise OSError(errno.EBUSY, "taken away again and again", base.directory)

    def _prepare(self) -> None:
        try:
            if self.place.version == 2:
                delegation.hand_down(self.place, self.place.controllers)
        except OSError:
            self.close()
            raise

    def make(self, name: str) -> Place:
        """A group, without limits yet. Raises `OSError`."""
        directory = f"{self.place.directory}/{_GROUP}{name}"
        os.mkdir(directory, 0o700)
        return msgspec.structs.replace(self.place, directory=directory)

    def close(self) -> None:
        """Remove what is empty. What is not is left to whoever sweeps here next."""
        with suppress(OSError):
            for group in _groups(self.place.directory):
                with suppress(OSError):
                    os.rmdir(group)
            os.rmdir(self.place.directory)
        os.close(self.lock)


def _lock(directory: str) -> int | None:
    """A descriptor that holds the lock of a directory, or None when somebody else does or it was removed."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(directory).st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    os.close(descriptor)
    return None


def _groups(directory: str) -> list[str]:
    return [entry.path for entry in os.scandir(directory) if entry.is_dir(follow_symlinks=False)]


def sweep(base: Place) -> None:
    """Kill and remove what dead owners have left below `base`. Raises `OSError` when nothing can be seen there.

    What a process that cannot be killed keeps from being removed is left to whoever sweeps next.
    """
    for directory in _branches(base.directory):
        lock = None
        with suppress(PermissionError):  # it is another user's
            lock = _lock(directory)
        if lock is None:
            continue
        try:
            groups = _groups(directory)
            with suppress(ProviderError):
                evict(groups, patience=PATIENCE_SECONDS)
                remove([*groups, directory])
        finally:
            os.close(lock)


def _branches(directory: str) -> Iterator[str]:
    for path in _groups(directory):
        name = os.path.basename(path)
        if name.startswith(_PREFIX) and name != delegation.LEAF:
            yield path


def remove(directories: Sequence[str]) -> None:
    """Remove empty cgroups; one that is not there is success. Raises `ProviderError` when one is in use.

    A process that was just killed holds its group for a moment longer.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    for directory in directories:
        while (refusal := _refusal(directory)) is not None:
            if refusal.errno != errno.EBUSY or time.monotonic() > until:
                raise ProviderError(
                    f"cannot remove this cgroup: {refusal.strerror}", where=directory, hint="Kill what is in it first."
                ) from refusal
            time.sleep(_LOOK_AGAIN_SECONDS)


def _refusal(directory: str) -> OSError | None:
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None
