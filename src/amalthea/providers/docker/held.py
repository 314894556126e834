"""The files of a session through a descriptor of its home, which outlives the container.

Their owner is a stranger who may change the tree meanwhile: no link is followed, and nothing but plain files is read.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import HomeFile
from amalthea.providers.docker.paths import parts

_DEEPEST = 64
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

T = TypeVar("T")


class HeldHome:
    """A `Home` below an open directory. `descriptor` says which, and raises `ProviderError` once it was let go."""

    def __init__(self, descriptor: Callable[[], int]) -> None:
        self._descriptor = descriptor

    async def scan(self) -> Sequence[HomeFile]:
        """Every file, ordered by path; what lies deeper than 64 directories is not looked at."""
        return await self._off(lambda root: sorted(_walk(root, "", _DEEPEST), key=lambda one: one.path))

    async def read(self, path: str, *, most: int) -> bytes:
        """What the file holds. Raises `ProviderError`."""
        words = parts(path)
        with _told(path):
            return await self._off(lambda root: _read(root, words, most))

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        """Make or replace a file, as the session's own. Raises `ProviderError`."""
        words = parts(path)
        with _told(path):
            await self._off(lambda root: _write(root, words, body, 0o755 if executable else 0o644))

    async def _off(self, act: Callable[[int], T]) -> T:
        """In another thread, on a descriptor of its own: the session may be forgotten meanwhile."""
        root = os.open(".", _DIRECTORY, dir_fd=self._descriptor())
        try:
            return await asyncio.shield(asyncio.to_thread(_closing, root, act))
        except OSError as error:
            raise ProviderError(f"no such plain file, or not to be reached: {error.strerror}") from error


def _closing(root: int, act: Callable[[int], T]) -> T:
    try:
        return act(root)
    finally:
        os.close(root)


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except ProviderError as error:
        error.where = error.where or path
        raise


def _walk(directory: int, above: str, deeper: int) -> Iterator[HomeFile]:
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError, UnicodeEncodeError):
                path = above + entry.name
                path.encode()
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(info.st_mode):
                    yield HomeFile(
                        path=path,
                        size=info.st_size,
                        modified=info.st_mtime_ns,
                        executable=bool(info.st_mode & stat.S_IXUSR),
                    )
                elif stat.S_ISDIR(info.st_mode) and deeper:
                    inner = os.open(entry.name, _DIRECTORY, dir_fd=directory)
                    try:
                        yield from _walk(inner, path + "/", deeper - 1)
                    finally:
                        os.close(inner)


def _read(root: int, words: Sequence[str], most: int) -> bytes:
    descriptor = _opened(root, words)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ProviderError("that is no plain file")
        body = file.read(most + 1)
    if len(body) > most:
        raise ProviderError(f"the file has more than {most} bytes")
    return body


def _opened(root: int, words: Sequence[str]) -> int:
    directory = _descended(root, words[:-1])
    try:
        return os.open(words[-1], _FILE, dir_fd=directory)
    finally:
        os.close(directory)


def _descended(root: int, words: Sequence[str], step: Callable[[int, str], None] | None = None) -> int:
    """The directory below, each made by `step` where there is one."""
    reached = os.dup(root)
    for word in words:
        parent = reached
        try:
            if step is not None:
                step(parent, word)
            reached = os.open(word, _DIRECTORY, dir_fd=parent)
        finally:
            os.close(parent)
    return reached


def _write(root: int, words: Sequence[str], body: bytes, mode: int) -> None:
    """Beside its place first, so that nobody sees half a file, and whatever has that name is replaced, not followed."""
    owner = os.fstat(root)
    directory = _descended(root, words[:-1], lambda parent, word: _make(parent, word, owner))
    beside = f".{secrets.token_hex(8)}"
    try:
        try:
            _fill(os.open(beside, _NEW, mode=0o600, dir_fd=directory), body, owner, mode)
            os.rename(beside, words[-1], src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(beside, dir_fd=directory)
            raise
    finally:
        os.close(directory)


def _fill(descriptor: int, body: bytes, owner: os.stat_result, mode: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.fchmod(descriptor, mode)


def _make(parent: int, word: str, owner: os.stat_result) -> None:
    with suppress(FileExistsError):
        os.mkdir(word, 0o755, dir_fd=parent)
        made = os.open(word, _DIRECTORY, dir_fd=parent)
        try:
            os.fchown(made, owner.st_uid, owner.st_gid)
        finally:
            os.close(made)
