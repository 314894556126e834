"""One session as its spawner sees it: two processes to watch, a socket to talk on, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from typing import Any

import msgspec

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Spawned, Usage
from amalthea.providers.process.belongings import Belongings
from amalthea.providers.process.home import SessionHome
from amalthea.providers.process.waiting import is_readable, readable, receive
from amalthea.providers.process.warm import messages

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
_GRACE_SECONDS = 5.0
_STOPPED = "it was stopped"
_SHUT_DOWN = "its server ended"


class Session:
    """A session that was asked for: `ready` completes it, and then it is either stopped or ends, and is discarded.

    `control` is this side's end of the socket on which it tells what becomes of it.
    """

    def __init__(self, spawned: Spawned, control: socket.socket, belongings: Belongings) -> None:
        self.spawned = spawned
        self.belongings = belongings
        self.egress: socket.socket | None = None
        self.examined: dict[str, str] = {}
        self._home: SessionHome | None = None
        self._control = control
        self._handles: tuple[int, ...] = ()
        self._reason = ""
        self._over: asyncio.Task[str] | None = None
        control.setblocking(False)

    # Its beginning.

    async def ready(self) -> None:
        """Wait until it serves. Raises `ProviderError` when it does not; then `discard` it."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (self._handles and self._home):  # told by two processes, in any order
                    await self._told()
        except TimeoutError as error:
            raise ProviderError("the session does not come up", where=self.spawned.name) from error
        self._over = asyncio.create_task(self._watch(), name=f"session {self.spawned.name}")

    async def _told(self) -> None:
        """The next thing that it says of itself."""
        message, descriptors = await receive(self._control)
        event = message["event"] if message else ""
        if event == "forked":
            self._handles = tuple(descriptors)
        elif event == "ready":
            self._take(descriptors)
        elif message and event == "examined":
            self.examined = message["walls"]
        else:
            messages.close(descriptors)
            problem = message["problem"] if message and event == "failed" else "its processes ended at once"
            raise ProviderError(f"the session cannot be started: {problem}", where=self.spawned.name)

    def _take(self, descriptors: list[int]) -> None:
        files = self.belongings.files
        if files is None:
            home, egress = descriptors
            self.egress = socket.socket(fileno=egress)
            self.egress.setblocking(False)
        else:
            home = os.open(files, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._home = SessionHome(home, uid=self.belongings.uid, name=self.spawned.name)

    # Its life.

    def lives(self) -> bool:
        """Whether it runs now, as far as its processes say."""
        return bool(self._handles) and self._over is not None and not is_readable(self._handles[0])

    async def over(self) -> str:
        """Wait for its end; why, in words for its visitor."""
        if self._over is None:
            return self._reason or _STOPPED
        return await asyncio.shield(self._over)

    def usage(self) -> Usage:
        """What it uses. Raises `ProviderError` when it has ended meanwhile."""
        group = self.belongings.group
        found = group.usage() if group is not None else Usage()
        if self._home is None or self.belongings.files is not None:
            return found
        disk, files = self._home.usage()
        return msgspec.structs.replace(found, disk=disk, files=files)

    def home(self) -> SessionHome:
        """Its files."""
        if self._home is None:
            raise ProviderError("this session has no files", where=self.spawned.name)
        return self._home

    # Its end.

    async def stop(self) -> None:
        """End it. None of its processes is left when this returns."""
        self._reason = self._reason or _STOPPED
        self._signal(signal.SIGKILL if self.belongings.files is None else signal.SIGTERM)
        if self._over is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await asyncio.shield(self._over)
            return
        self._signal(signal.SIGKILL)
        await asyncio.shield(self._over)

    async def discard(self) -> None:
        """End it, wherever it is in its life, and leave nothing of it behind."""
        await self.stop()
        if self._over is None:
            await self._release()
        if self._home is not None:
            self._home.close()
        if self.egress is not None:
            self.egress.close()
        await self.belongings.destroy()

    def _signal(self, number: signal.Signals) -> None:
        if self._handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handles[0], number)

    async def _watch(self) -> str:
        for handle in self._handles:
            await readable(handle)
        said = await self._last_words()
        if await asyncio.to_thread(self._starved) and said != _SHUT_DOWN:
            said = "it ran out of memory"
        self._reason = self._reason or said
        try:
            await self._release()
        except ProviderError as error:
            log.error("%s has ended, and not all of it is gone: %s", self.spawned.name, error)
        return self._reason

    async def _last_words(self) -> str:
        """What it said of its end."""
        said = "its processes were ended"
        message: dict[str, Any] | None = {}
        while message is not None:
            message, descriptors = await receive(self._control)
            messages.close(descriptors)
            if message and message["event"] == "ended":
                said = message["reason"]
        return said

    def _starved(self) -> bool:
        """Whether a process of it was ended for want of memory."""
        group = self.belongings.group
        with contextlib.suppress(ProviderError):
            return group is not None and bool(group.usage().kills)
        return False

    async def _release(self) -> None:
        """Give back what only the living need. The processes are gone, or are as soon as the group is killed."""
        self._control.close()
        for handle in self._handles:
            await readable(handle)
            os.close(handle)
        self._handles = ()
        if self.egress is not None:
            with contextlib.suppress(OSError):
                self.egress.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for a connection
        await self.belongings.give_back()
