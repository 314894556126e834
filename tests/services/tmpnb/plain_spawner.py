"""A spawner without sandbox or process: each session is a small server in the test's own loop, on a unix socket.

It keeps the contract, and does as it is told: it fails, takes its time, lets a session end by itself, and says that one
has used as much of the processor as a test wants.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment, Guarantee, HomeFile, Order, Spawned, Usage
from tests.services.tmpnb.plain_server import PlainServer
from tests.services.tmpnb.plain_socket import echo
from tests.services.tmpnb.work.directory import Directory

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
WALL = Guarantee(name="namespaces", holds=True, promise="it sees no other session")


class PlainHome:
    """The files below a directory, until they are forgotten."""

    def __init__(self, root: Path) -> None:
        self._directory = Directory(root)
        self.forgotten = False

    async def scan(self) -> Sequence[HomeFile]:
        self._check("x")
        return await self._directory.scan()

    async def read(self, path: str, *, most: int) -> bytes:
        self._check(path)
        return await self._directory.read(path, most=most)

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        self._check(path)
        await self._directory.write(path, body, executable=executable)

    def _check(self, path: str) -> None:
        if self.forgotten:
            raise ProviderError("there is no such session", where=path)
        parts = path.split("/")
        if not path or PurePosixPath(path).is_absolute() or any(part in ("", ".", "..") for part in parts):
            raise ProviderError("this path leads elsewhere", where=path)


class PlainSession:
    """One of them: `server` answers, `home` has its files."""

    def __init__(self, order: Order, spawned: Spawned, home: PlainHome, *, door: socket.socket | None) -> None:
        self.order = order
        self.spawned = spawned
        self.home = home
        self.server = PlainServer(order.base_url, order.token, home)
        self.server.answers["echo"] = echo
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.usage = Usage(memory=1 << 20, cpu=0.0)
        self.cores = order.limits.cpu
        self.door = door

    async def end(self, why: str) -> None:
        if not self.over.done():
            self.over.set_result(why)
        await self.server.close()


class PlainSpawner:
    """`failing` is why nothing starts; `gate` holds starts up while it is closed, and `exits` the ends of sessions.

    `broken` environments do not start, and a `strange` spawner fails as none should. What is `vanishing` has started,
    and is not known any more once it was asked for its way out. `doors` gives each session one. `most` is how many
    there ever were at once.
    """

    name = "plain"

    def __init__(self, directory: Path, environments: Sequence[Environment], *, clock: Clock) -> None:
        self.sessions: dict[str, PlainSession] = {}
        self.walls: Sequence[Guarantee] = (WALL,)
        self.failing = ""
        self.broken = set[str]()
        self.strange = self.vanishing = False
        self.gate, self.exits = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.exits.set()
        self.doors = False
        self.starting = 0
        self.started = self.attempts = 0
        self.most = 0
        self._ended: dict[str, PlainSession] = {}
        self._directory = directory
        self._environments = {environment.name for environment in environments}
        self._clock = clock
        self._closed = False

    def guarantees(self) -> Sequence[Guarantee]:
        return self.walls

    async def start(self, order: Order) -> Spawned:
        self.attempts += 1
        self.starting += 1
        self.most = max(self.most, len(self.sessions) + self.starting)
        try:
            await self.gate.wait()
            self._check(order)
            session = self._made(order)
            await self._open(session)
        finally:
            self.starting -= 1
        self.started += 1
        self.sessions[order.name] = session
        return session.spawned

    async def _open(self, session: PlainSession) -> None:
        try:
            await session.server.open(self.socket_path(session.order.name))
        except BaseException:
            await session.end("it was not started")
            raise

    def _check(self, order: Order) -> None:
        if self.failing or self._closed:
            raise ProviderError(self.failing or "the spawner is closed", where=order.name)
        if _NAME.fullmatch(order.name) is None or order.name in {*self.sessions, *self._ended}:
            raise ProviderError("this name is none, or taken", where=order.name)
        if self.strange:
            raise RuntimeError("this is strange")
        if order.environment in self.broken or order.environment not in self._environments:
            raise ProviderError("there is no such environment", where=order.environment)

    def _made(self, order: Order) -> PlainSession:
        spawned = Spawned(
            name=order.name,
            environment=order.environment,
            address=f"unix:{self.socket_path(order.name)}",
            started=self._clock(),
        )
        home = PlainHome(self._directory / order.name)
        return PlainSession(order, spawned, home, door=socket.create_server(("127.0.0.1", 0)) if self.doors else None)

    def socket_path(self, name: str) -> Path:
        return self._directory / f"{name}.sock"

    async def stop(self, name: str) -> None:
        await self.end(name, "it was stopped")

    async def end(self, name: str, why: str) -> None:
        """One ends, by itself or not."""
        session = self.sessions.get(name)
        if session is not None:
            await self.exits.wait()
            await session.end(why)
            self._ended[name] = session
            self.sessions.pop(name, None)

    async def ended(self, name: str) -> str:
        return await self._known(name).over

    async def forget(self, name: str) -> None:
        await self.stop(name)
        session = self._ended.pop(name, None)
        if session is not None:
            await session.end("it was forgotten")
            session.home.forgotten = True
            if session.door is not None:
                session.door.close()

    async def running(self) -> Mapping[str, Spawned]:
        return {name: session.spawned for name, session in self.sessions.items()}

    async def usage(self, name: str) -> Usage:
        return self._living(name).usage

    async def throttle(self, name: str, *, cpu: float) -> None:
        self._living(name).cores = cpu

    def uses(self, name: str, *, cpu: float) -> None:
        """From now on it has used so many seconds of the processor."""
        session = self._living(name)
        session.usage = msgspec.structs.replace(session.usage, cpu=cpu)

    def home(self, name: str) -> PlainHome:
        return self._known(name).home

    def egress(self, name: str) -> socket.socket | None:
        door = self._known(name).door
        if self.vanishing:
            self._vanish(name)
        return door

    def _vanish(self, name: str) -> None:
        self._ended[f"lost {name}"] = self.sessions.pop(name)

    def _known(self, name: str) -> PlainSession:
        session = self.sessions.get(name) or self._ended.get(name)
        if session is None:
            raise ProviderError("there is no such session", where=name)
        return session

    def _living(self, name: str) -> PlainSession:
        if name not in self.sessions:
            raise ProviderError("this session has ended", where=name)
        return self.sessions[name]

    async def aclose(self) -> None:
        self._closed = True
        self.gate.set()
        self.exits.set()
        for name in {*self.sessions, *self._ended}:
            await self.forget(name)


@asynccontextmanager
async def opened(spawner: PlainSpawner) -> AsyncIterator[PlainSpawner]:
    """It, closed in the end."""
    try:
        yield spawner
    finally:
        await spawner.aclose()
