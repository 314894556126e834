"""The directories below a root, opened part by part so that no symbolic link leads out of it.

Whoever can write into the directory could put a link there. Every step is therefore taken from the open
directory above it, with `O_NOFOLLOW`: a link is an error, not a way, and it cannot be slipped in between a
check and a use.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from amalthea.model.errors import StoreUnavailable

_BENEATH = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a named pipe must not hang us


class Tree:
    """The directories opened for one piece of work; leave the context to close them."""

    def __init__(self, root: Path) -> None:
        self.root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open: dict[tuple[str, ...], int] = {(): self.root}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def directory(self, names: tuple[str, ...], *, create: bool = False) -> int:
        """A descriptor of the directory. Raises `OSError`: `ENOENT`, `ELOOP` or `ENOTDIR` for a link."""
        if (known := self._open.get(names)) is not None:
            return known
        above = self.directory(names[:-1], create=create)
        if create:
            with suppress(FileExistsError):
                os.mkdir(names[-1], 0o700, dir_fd=above)
        descriptor = os.open(names[-1], _BENEATH, dir_fd=above)
        self._open[names] = descriptor
        return descriptor

    def opened(self, names: tuple[str, ...]) -> bool:
        """Whether the directory was there when it was asked for."""
        return names in self._open

    def read(self, names: tuple[str, ...], file: str) -> bytes:
        """The whole of a regular file. Raises `OSError`."""
        descriptor = os.open(file, _REGULAR, dir_fd=self.directory(names))
        with open(descriptor, "rb", buffering=0) as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileNotFoundError(errno.ENOENT, "not a regular file")
            return opened.readall()


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn an `OSError` into a `StoreUnavailable` that says what to do."""
    try:
        yield
    except OSError as error:
        raise unavailable(error, directory) from error


def unavailable(error: OSError, directory: Path) -> StoreUnavailable:
    """What a person has to know when the operating system refuses."""
    reason, hint = error.strerror or str(error), "See whether the disk works: `dmesg` and `df` tell."
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            reason = "the disk is full" if error.errno == errno.ENOSPC else "the disk quota is used up"
            hint = f"Free some space (`df {directory}` shows how much there is), or move the store to a larger disk."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            reason = f"the store's directory cannot be used: {reason}"
            hint = (
                f"Let user {os.geteuid()} write there: `ls -ld {directory}` and `findmnt -T {directory}` show why not."
            )
        case errno.ELOOP | errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            reason = "something that the store did not put there, perhaps a symbolic link, stands in its way"
            hint = f"Find it with `find {directory} -not -type d -ls`, and remove it."
        case errno.ENOENT:
            reason = "the store's directory is gone"
            hint = "Mount its disk, or start again to have an empty one made."
    return StoreUnavailable(reason, where=str(directory), hint=hint)
