"""The files of a session, read and written by somebody who does not trust whoever made them.

Every step goes by the descriptor of the directory above, never follows a link, and never waits for a pipe; so nothing
outside is reached, whatever is renamed meanwhile. The descriptor keeps the files of a session in memory alive when
its processes are gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import HomeFile

MOST_ENTRIES = 100_000
DEEPEST = 64

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EISDIR}
T = TypeVar("T")


class SessionHome:
    """One home. `descriptor` is of its directory and closed by `close`; `uid` owns what is written, -1 for whoever."""

    def __init__(self, descriptor: int, *, uid: int, name: str) -> None:
        self._descriptor = descriptor
        self._uid = uid
        self._name = name

    async def scan(self) -> Sequence[HomeFile]:
        """Every plain file with a name in UTF-8, no deeper than 64 directories, ordered by path.

        Raises `ProviderError` above 100 000 files and directories.
        """
        return await self._off_the_loop(lambda top: sorted(_files(top, self._name), key=lambda file: file.path))

    async def read(self, path: str, *, most: int) -> bytes:
        """What the file holds. Raises `ProviderError`."""
        return await self._off_the_loop(lambda top: _read(top, path, most=most))

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        """Make or replace a file at once: nobody sees half of it. Raises `ProviderError`."""
        mode = 0o700 if executable else 0o600
        await self._off_the_loop(lambda top: _write(top, path, body, uid=self._uid, mode=mode))

    def usage(self) -> tuple[int, int]:
        """Bytes and inodes in use on the file system that the home is."""
        found = os.fstatvfs(self._descriptor)
        return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_files - found.f_ffree

    def close(self) -> None:
        """Let go of it; work that has begun is finished."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def _off_the_loop(self, work: Callable[[int], T]) -> T:
        """Run it in a thread, with a descriptor of its own: the number might be another's by then."""
        if self._descriptor < 0:
            raise ProviderError("the files of this session are gone", where=self._name)
        top = os.dup(self._descriptor)
        return await asyncio.to_thread(self._run, work, top)

    def _run(self, work: Callable[[int], T], top: int) -> T:
        try:
            return work(top)
        except OSError as error:
            raise ProviderError(f"cannot use the session's files: {error.strerror}", where=self._name) from error
        finally:
            os.close(top)


def _steps(path: str) -> list[str]:
    steps = path.split("/")
    if any(step in {"", ".", ".."} or "\0" in step for step in steps) or len(steps) > DEEPEST:
        raise ProviderError("a path below a home is relative and plain", where=repr(path[:200]))
    return steps


# Looking.


def _files(top: int, name: str) -> Iterator[HomeFile]:
    seen = 0
    waiting = [(os.dup(top), "", 0)]
    try:
        while waiting:
            directory, prefix, depth = waiting.pop()
            with _closing(directory), os.scandir(directory) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MOST_ENTRIES:
                        raise ProviderError(f"there are more than {MOST_ENTRIES} files", where=name)
                    yield from _file(entry, prefix)
                    waiting.extend(_below(entry, directory, prefix, depth))
    finally:
        for descriptor, _, _ in waiting:
            os.close(descriptor)


def _file(entry: os.DirEntry[str], prefix: str) -> Iterator[HomeFile]:
    try:
        about = entry.stat(follow_symlinks=False)
        entry.name.encode()
    except (OSError, UnicodeEncodeError):
        return
    if stat.S_ISREG(about.st_mode):
        executable = bool(about.st_mode & stat.S_IXUSR)
        path = prefix + entry.name
        yield HomeFile(path=path, size=about.st_size, modified=about.st_mtime_ns, executable=executable)


def _below(entry: os.DirEntry[str], directory: int, prefix: str, depth: int) -> Iterator[tuple[int, str, int]]:
    if depth + 1 >= DEEPEST or not entry.is_dir(follow_symlinks=False):
        return
    with contextlib.suppress(OSError):  # gone, or closed to us
        yield os.open(entry.name, _DIRECTORY, dir_fd=directory), f"{prefix}{entry.name}/", depth + 1


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _above(top: int, steps: Sequence[str], *, make: Callable[[int, str], None] | None = None) -> Iterator[int]:
    """The directory that the last of the steps lies in."""
    directory = os.dup(top)
    try:
        for step in steps[:-1]:
            if make is not None:
                make(directory, step)
            below = os.open(step, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = below
        yield directory
    finally:
        os.close(directory)


# Reading and writing.


def _read(top: int, path: str, *, most: int) -> bytes:
    steps = _steps(path)
    try:
        with _above(top, steps) as directory, open(os.open(steps[-1], _READ, dir_fd=directory), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise ProviderError("it is no plain file", where=path)
            body = b"" if about.st_size > most else file.read(most + 1)
    except OSError as error:
        if error.errno in _GONE:
            raise ProviderError("there is no such file", where=path) from error
        raise
    if about.st_size > most or len(body) > most:
        raise ProviderError(f"it is longer than {most} bytes", where=path)
    return body


def _write(top: int, path: str, body: bytes, *, uid: int, mode: int) -> None:
    steps = _steps(path)

    def make(directory: int, step: str) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(step, 0o700, dir_fd=directory)
            with _closing(os.open(step, _DIRECTORY, dir_fd=directory)) as made:
                os.fchown(made, uid, uid)

    with _above(top, steps, make=make) as directory:
        part = f".{secrets.token_hex(8)}.part"
        try:
            with open(os.open(part, _CREATE, mode, dir_fd=directory), "wb") as file:
                os.fchown(file.fileno(), uid, uid)
                os.fchmod(file.fileno(), mode)
                file.write(body)
            os.rename(part, steps[-1], src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part, dir_fd=directory)
            raise
