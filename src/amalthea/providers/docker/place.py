"""Directories of the host: one for each opened spawner, and in it one for each session, with the socket of its server.

A session's container sees `<session>/meeting` alone. Its server makes the socket there; then the socket is moved up,
out of sight, and `meeting` removed. In a removed directory the kernel lets nobody make anything.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from amalthea.model.errors import ProviderError
from amalthea.providers.docker.recipe import SOCKET

_LONGEST = 107  # bytes that a socket's address holds
_PAUSE = 0.01


class Berth:
    """What one opened spawner keeps on disk. It is locked as long as its process lives."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.instance = secrets.token_hex(3)
        self._path = directory / self.instance
        unseen = directory / f".{self.instance}"  # until it is locked: others remove what nobody holds
        unseen.mkdir(mode=0o700, parents=True)
        self._lock = os.open(unseen / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unseen.rename(self._path)

    def place(self, name: str) -> Place:
        """Where the session of that name is, or will be."""
        return Place(self._path / name)

    def close(self) -> None:
        """Remove all of it."""
        if self._lock >= 0:
            shutil.rmtree(self._path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def alive(directory: Path, instance: str) -> bool:
    """Whether the spawner of that instance is still open, in whatever process."""
    try:
        lock = os.open(directory / instance / "lock", os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def instances(directory: Path) -> Iterator[str]:
    """Every instance that has something on disk."""
    if directory.is_dir():
        yield from (one.name for one in directory.iterdir() if one.name[0] != "." and (one / "lock").is_file())


class Place:
    """The directory of one session. Raises `ProviderError` for what goes wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.socket = path / SOCKET
        self.meeting = path / "meeting"

    @property
    def address(self) -> str:
        """As `Spawned` has it."""
        return f"unix:{self.socket}"

    def make(self) -> None:
        """The session's own directory, and the one that its container will see."""
        if len(os.fsencode(self.meeting / SOCKET)) > _LONGEST:
            raise ProviderError(
                f"a socket's path has {_LONGEST} bytes at most", where=str(self._path), hint="Use a shorter directory."
            )
        try:
            self._path.mkdir(mode=0o700)
            self.meeting.mkdir()
            self.meeting.chmod(0o777)
        except OSError as error:
            raise ProviderError(f"cannot make its directory: {error.strerror}", where=str(self._path)) from error

    def remove(self) -> None:
        """Let go of it; absent is success."""
        shutil.rmtree(self._path, ignore_errors=True)

    async def met(self) -> None:
        """Wait until the server listens, and take its socket out of the container's reach."""
        while not _listens(self.meeting / SOCKET):  # noqa: ASYNC110 - the kernel tells nobody when somebody listens
            await asyncio.sleep(_PAUSE)
        self._take()

    def _take(self) -> None:
        (self.meeting / SOCKET).rename(self.socket)
        shutil.rmtree(self.meeting)
        if not _listens(self.socket):
            raise ProviderError("something else took the place of its server's socket", where=str(self._path))


def _listens(path: Path) -> bool:
    """Whether that very name is a socket, no link to one, and a connection to it is accepted."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(0)
            asker.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError, PermissionError, BlockingIOError):  # not yet
        return False
    return True
