"""Sessions as forks of a warm parent, each in a sandbox of its own: a notebook server in less than a tenth of a second.

    ProcessSpawner (asyncio, here)
      +- warm parent: one for each environment, everything imported      warm/parent.py
           +- session process: joins cgroups, unshares, waits            warm/session.py
                +- pid 1: builds the root, drops its rights              warm/init.py
                     +- the server, on a socket that listens already     warm/server.py
                     +- each kernel                                      warm/kernel.py

This process makes the socket before it asks for the fork, so a visitor may connect at once and waits in the queue of
the kernel until the server accepts. When this process ends, however it ends, the warm parents see their channel
closed, and they and all sessions end too.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment, Guarantee, Order, Spawned, Usage
from amalthea.providers.process.belongings import Lender
from amalthea.providers.process.footing import find_launcher, rehearse
from amalthea.providers.process.home import SessionHome
from amalthea.providers.process.sandbox.cgroups import Cgroups
from amalthea.providers.process.session import Session
from amalthea.providers.process.session_launcher import SessionLauncher
from amalthea.providers.process.warm_parent import WarmParent
from amalthea.providers.process.warm_parents import WarmParents

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_BASE_URL = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")


class ProcessSpawner:
    """Implements `amalthea.model.spawner.Spawner`. Made by `open`; whoever opened it closes it with `aclose`."""

    name = "process"

    def __init__(
        self, parents: WarmParents, launcher: SessionLauncher, *, guarantees: Sequence[Guarantee] = ()
    ) -> None:
        self._parents = parents
        self._launcher = launcher
        self._guarantees = tuple(guarantees)
        self._sessions: dict[str, Session] = {}
        self._starting: set[str] = set()
        self._followers: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def open(
        cls,
        directory: Path,
        environments: Sequence[Environment],
        *,
        clock: Clock = system_clock,
        walls: bool = True,
    ) -> Self:
        """Start a warm parent for each environment and find out which walls stand here.

        Sockets, logs and homes without walls are in `directory`, which is made, for this user alone, and belongs to
        one spawner at a time; a short path, for the path of a socket has at most 107 bytes. Without `walls`, sessions
        see the machine as this process does. Raises `ProviderError`.
        """
        directory = _prepared(directory)
        parents = WarmParents(environments, directory)
        lender = Lender(directory, await asyncio.to_thread(Cgroups.find, "tmpnb"))
        try:
            await parents.start()
            first, *others = [await parents.usable(name) for name in parents.names]
            launcher, guarantees = await find_launcher(lender, first, clock=clock, walls=walls)
            for parent in others:
                await rehearse(launcher, parent)
        except BaseException:
            await parents.aclose()
            await lender.aclose()
            raise
        return cls(parents, launcher, guarantees=guarantees)

    def guarantees(self) -> Sequence[Guarantee]:
        """The walls around each session, as a rehearsal found them when the spawner was opened."""
        return self._guarantees

    async def start(self, order: Order) -> Spawned:
        """Start a session. Raises `ProviderError` when it cannot be started, also for a name that is taken."""
        self._check(order)
        self._starting.add(order.name)
        try:
            parent = await self._parents.usable(order.environment)
            parent.sessions += 1
            try:
                session = await self._launch(order, parent)
            except BaseException:
                parent.sessions -= 1
                raise
            self._sessions[order.name] = session
        finally:
            self._starting.discard(order.name)
        follower = asyncio.create_task(self._follow(session, parent))
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)
        return session.spawned

    async def _launch(self, order: Order, parent: WarmParent) -> Session:
        session = await self._launcher.launch(order, parent)
        if self._closed:
            await session.discard()
            raise ProviderError("the spawner was closed meanwhile", where=order.name)
        return session

    def _check(self, order: Order) -> None:
        if self._closed:
            raise ProviderError("the spawner is closed", where=order.name)
        if _NAME.fullmatch(order.name) is None:
            problem = "a session's name has at most 63 small letters, digits and hyphens"
            raise ProviderError(problem, where=repr(order.name[:80]))
        if order.name in self._sessions or order.name in self._starting:
            raise ProviderError("there is a session of that name already", where=order.name)
        if _BASE_URL.fullmatch(order.base_url) is None:
            raise ProviderError("a base URL has a slash at both ends and is plain", where=repr(order.base_url[:200]))
        if not order.token:
            raise ProviderError("a session without a token is open to everybody", where=order.name)

    async def _follow(self, session: Session, parent: WarmParent) -> None:
        """An old parent is needed until its last session has ended."""
        try:
            await session.over()
        finally:
            parent.sessions -= 1
            await self._parents.tidy()

    async def stop(self, name: str) -> None:
        """End a session; its files stay until it is forgotten."""
        session = self._sessions.get(name)
        if session is not None:
            await session.stop()

    async def ended(self, name: str) -> str:
        """Wait for its end; why it ended. Raises `ProviderError` for one that is not there."""
        return await self._known(name).over()

    async def forget(self, name: str) -> None:
        """End a session and let go of its files."""
        session = self._sessions.pop(name, None)
        if session is not None:
            await session.discard()

    async def running(self) -> Mapping[str, Spawned]:
        """Those whose processes live."""
        return {name: session.spawned for name, session in self._sessions.items() if session.lives()}

    async def usage(self, name: str) -> Usage:
        """What a session uses. Raises `ProviderError` for one that does not run."""
        return self._living(name).usage()

    async def throttle(self, name: str, *, cpu: float) -> None:
        """Leave a session so many cores, where that is limited at all. Raises `ProviderError`."""
        group = self._living(name).belongings.group
        if group is not None:
            group.throttle(cpu)

    def home(self, name: str) -> SessionHome:
        """The files of a session. Raises `ProviderError`."""
        return self._known(name).home()

    def egress(self, name: str) -> socket.socket | None:
        """The socket for its way out, shut down when it ends and closed when it is forgotten."""
        return self._known(name).egress

    def _known(self, name: str) -> Session:
        if name not in self._sessions:
            raise ProviderError("there is no such session", where=name)
        return self._sessions[name]

    def _living(self, name: str) -> Session:
        session = self._known(name)
        if not session.lives():
            raise ProviderError("this session has ended", where=name)
        return session

    async def aclose(self) -> None:
        """End and forget every session, and the warm parents."""
        self._closed = True
        await asyncio.gather(*(self.forget(name) for name in list(self._sessions)))
        await asyncio.gather(*self._followers, return_exceptions=True)
        await self._parents.aclose()
        await self._launcher.lender.aclose()


def _prepared(directory: Path) -> Path:
    """The directory, for this user alone, without what a spawner that was killed left in it."""
    try:
        directory.mkdir(0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        shutil.rmtree(directory / "homes", ignore_errors=True)
        for left in directory.glob("*.sock"):
            left.unlink(missing_ok=True)
    except OSError as error:
        raise ProviderError(f"cannot use the directory for sessions: {error.strerror}", where=str(directory)) from error
    return directory.resolve()
