"""The files that a session begins with, put into its home before anybody gets it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from amalthea.model.spawner import Home, Spawner
from amalthea.services.tmpnb.errors import BadRepository, NoSuchSession
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.sessions.session import Session
from amalthea.services.tmpnb.settings import Settings
from amalthea.services.tmpnb.starting.repositories import Repositories
from amalthea.services.tmpnb.starting.unpacking import Unpacked, unpacked
from amalthea.services.tmpnb.work.work import Work

log = logging.getLogger(__name__)

_AT_ONCE = 8
_UNPACKED_AT_ONCE = 2
"""Each is in memory whole, as large as the disk of a session."""


class FirstFiles:
    """A companion of sessions, who brings their files."""

    def __init__(
        self, spawner: Spawner, repositories: Repositories, work: Work, *, settings: Settings, instruments: Instruments
    ) -> None:
        self._spawner = spawner
        self._repositories = repositories
        self._work = work
        self._settings = settings
        self._restored = instruments.restored
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)

    async def begins(self, session: Session) -> None:
        """Fill its home. Raises `BadRepository`, `NoSuchSession`, and what the store raises."""
        wish, home = session.wish, self._spawner.home(session.name)
        if wish.again:
            await self._restore(wish.again, home)
        elif wish.repository:
            archive = await self._repositories.archive(wish.repository)
            bounds = {"files": self._settings.files, "size": int(self._settings.disk)}
            async with self._unpacking:
                await _write(await asyncio.to_thread(list, unpacked(archive, **bounds)), home)
        elif wish.directory:
            await _write(await asyncio.to_thread(list, _of_directory(Path(wish.directory))), home)

    async def ends(self, session: Session) -> None:
        """Nothing to do."""

    async def _restore(self, name: str, home: Home) -> None:
        snapshot = await self._work.newest(name)
        if snapshot is None:
            raise NoSuchSession("Nothing was kept of that session, or its time is over.", where=name)
        await self._work.restore(snapshot, home)
        self._restored.inc()


async def _write(files: Iterable[Unpacked], home: Home) -> None:
    few = asyncio.Semaphore(_AT_ONCE)

    async def write(file: Unpacked) -> None:
        async with few:
            await home.write(file.path, file.body, executable=file.executable)

    await asyncio.gather(*map(write, files))


def _of_directory(root: Path) -> Iterator[Unpacked]:
    """The files below a directory that the fleet file names; hidden ones stay there."""
    if not root.is_dir():
        log.error("an offer begins with a directory that is not there: %s", root)
        raise BadRepository("The directory that this offer begins with is not there. This has been logged.")
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            executable = bool(path.stat().st_mode & 0o100)
            yield Unpacked(path=relative.as_posix(), body=path.read_bytes(), executable=executable)
