"""What a session needs outside of itself: a user id, cgroups, a socket, and without walls a home on disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from pathlib import Path

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Order
from amalthea.providers.process.sandbox.cgroups import Cgroups, Group
from amalthea.providers.process.uids import Uids

_BACKLOG = 128


class Belongings:
    """Made by `Lender.lend`. `uid` is -1 and `group` None where there is none; `files` is None for a home in memory."""

    def __init__(self, name: str, directory: Path, uids: Uids) -> None:
        self.socket = directory / f"{name}.sock"
        self.uid = -1
        self.group: Group | None = None
        self.files: Path | None = None
        self._uids = uids

    def listen(self) -> socket.socket:
        """The socket that its server answers on; connections wait from now on. Raises `ProviderError`."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.unlink(missing_ok=True)
            listener.bind(str(self.socket))
            self.socket.chmod(0o600)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise ProviderError(f"cannot listen: {error}", where=str(self.socket)) from error
        return listener

    async def give_back(self) -> None:
        """Return what only its processes need, once they are gone; stragglers of its cgroups are ended."""
        with contextlib.suppress(OSError):
            self.socket.unlink()
        if self.group is not None:
            await asyncio.to_thread(_remove, self.group)
            self.group = None

    async def destroy(self) -> None:
        """Return and remove all that is left, when it is forgotten: nobody else is to be the user of its files."""
        await self.give_back()
        if self.files is not None:
            await asyncio.to_thread(shutil.rmtree, self.files, ignore_errors=True)
        if self.uid >= 0:
            self._uids.give_back(self.uid)
            self.uid = -1


def _remove(group: Group) -> None:
    group.kill()
    group.remove()


class Lender:
    """Lends belongings to sessions, all of one directory."""

    def __init__(self, directory: Path, cgroups: Cgroups) -> None:
        self._directory = directory
        self._cgroups = cgroups
        self._uids = Uids.of(directory)

    @property
    def limits(self) -> dict[str, str]:
        """For each of memory, cpu and pids: empty where sessions are limited by it, else why not."""
        return dict(self._cgroups.available)

    async def lend(self, order: Order, *, own_uid: bool, on_disk: bool) -> Belongings:
        """Everything for one session. Raises `ProviderError`; then nothing is left."""
        found = Belongings(order.name, self._directory, self._uids)
        try:
            found.uid = self._uids.take() if own_uid else -1
            if not all(self._cgroups.available.values()):
                found.group = await asyncio.to_thread(self._cgroups.make, order.name, order.limits)
            found.files = self._home(order.name, found.uid) if on_disk else None
        except BaseException as error:
            await found.destroy()
            if isinstance(error, OSError):
                raise ProviderError(f"cannot make a home: {error}", where=order.name) from error
            raise
        return found

    def _home(self, name: str, uid: int) -> Path:
        """A directory of its own, which its user can pass through to."""
        files = self._directory / "homes" / name
        files.mkdir(0o700, parents=True)
        if uid >= 0:
            os.chown(files, uid, uid)
            for above in (self._directory, files.parent):
                above.chmod(0o711)
        return files

    async def aclose(self) -> None:
        """Let go of the cgroups, which are empty by now."""
        await asyncio.to_thread(self._cgroups.close)
