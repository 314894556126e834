"""Files on their way to a name: written under `.tmp`, where no key leads, then linked or renamed.

A reader sees the old object or the new one, never a part of either. A writer that is killed leaves its
temporary files behind; `sweep` removes them once they are too old to belong to anybody.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from amalthea.store.layout import TEMPORARY
from amalthea.store.tree import Tree

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_ABANDONED_SECONDS = 3600.0


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A whole body in a temporary file."""

    name: str


class Staging:
    """The temporary files of one batch. Leaving the context removes those that got no other name."""

    def __init__(self, tree: Tree) -> None:
        self._directory = tree.directory((TEMPORARY,), create=True)
        self._temporary: dict[str, int] = {}
        self._placed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for name in tuple(self._temporary):
            self._discard(name)

    def _discard(self, name: str) -> None:
        os.close(self._temporary.pop(name))
        if name not in self._placed:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._directory)

    @property
    def descriptors(self) -> Sequence[int]:
        """What has to reach the disk before anything gets its name."""
        return tuple(self._temporary.values())

    def write(self, body: bytes, *, modified: int) -> Staged:
        """Put `body` into a new file dated `modified` (nanoseconds). Raises `OSError`."""
        name = secrets.token_hex(12)
        descriptor = os.open(name, _NEW, 0o600, dir_fd=self._directory)
        self._temporary[name] = descriptor
        try:
            rest = memoryview(body)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.utime(descriptor, ns=(modified, modified))
        except OSError:
            self._discard(name)  # at once: on a full disk the next body may need the room
            raise
        return Staged(name=name)

    def link(self, staged: Staged, directory: int, file: str) -> None:
        """Give it a name that nothing has. Raises `FileExistsError`, `OSError`."""
        os.link(staged.name, file, src_dir_fd=self._directory, dst_dir_fd=directory, follow_symlinks=False)

    def rename(self, staged: Staged, directory: int, file: str) -> None:
        """Give it a name, in place of what has it. Raises `OSError`."""
        os.rename(staged.name, file, src_dir_fd=self._directory, dst_dir_fd=directory)
        self._placed.add(staged.name)


def sweep(tree: Tree, *, now: float) -> None:
    """Remove what killed writers left an hour ago or more. `now` is in seconds since 1970."""
    directory = tree.directory((TEMPORARY,), create=True)
    with os.scandir(directory) as entries:
        for entry in entries:
            if now - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_SECONDS:
                with suppress(FileNotFoundError):  # another process sweeps too
                    os.unlink(entry.name, dir_fd=directory)
