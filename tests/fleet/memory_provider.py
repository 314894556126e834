"""A provider whose workloads are small servers in this process: they listen, answer `/-/readyz` and can be ill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from amalthea.model.errors import PortInUse, ProviderError
from amalthea.model.provider import AccountState, Standing
from amalthea.model.units import Duration
from amalthea.model.workload import Feature, Running, State, Workload

READY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 5\r\nconnection: close\r\n\r\nbusy\n"


class MemoryProvider:
    """Keeps `history`, a list that several providers and edges may share, of what it was told.

    `ill` names the services that never become ready; with `down` nothing works at all; `stuck` names the
    services that cannot be stopped.
    """

    def __init__(self, name: str, *, history: list[str] | None = None) -> None:
        self.name = name
        self.supports = frozenset({Feature.FIXED_PORT, Feature.SHARED_FILES})
        self.history = history if history is not None else []
        self.ill: set[str] = set()
        self.stuck: set[str] = set()
        self.down = ""
        self._copies: dict[str, Running] = {}
        self._servers: dict[str, list[asyncio.Server]] = {}

    async def running(self) -> Mapping[str, Running]:
        self._check()
        return dict(self._copies)

    async def start(self, workload: Workload) -> Running:
        self._check()
        known = self._copies.get(workload.key)
        if known is None or known.state is State.STOPPED:
            known = await self._launch(workload)
            self.history.append(f"start {workload.name} at {self.name}")
        elif known.state is State.ORPHANED:
            self.history.append(f"adopt {workload.name} at {self.name}")
        self._copies[workload.key] = replace(known, state=State.RUNNING)
        return self._copies[workload.key]

    async def stop(self, key: str, *, grace: Duration) -> None:
        self._check()
        copy = self._copies.get(key)
        if copy is None:
            return
        if copy.service in self.stuck:
            raise ProviderError("it does not end", where=f"{self.name}/{key}")
        self.history.append(f"stop {copy.name} at {self.name}")
        await self._end(key)
        del self._copies[key]

    async def logs(self, key: str, *, lines: int = 100, follow: bool = False) -> AsyncIterator[str]:
        self._check()
        for line in ["I start", "\x1b[31mI am ill"][-lines:]:
            yield line

    async def account(self) -> AccountState:
        return AccountState(standing=Standing.SUSPENDED if self.down else Standing.OK)

    async def aclose(self) -> None:
        for key in [*self._servers]:
            await self._end(key)

    async def kill(self, key: str, state: State) -> None:
        """End the servers of a workload behind the provider's back; `state` is what is seen of it."""
        await self._end(key)
        self._copies[key] = replace(self._copies[key], state=state)

    def orphan(self, key: str) -> None:
        """Forget to supervise a workload that runs on."""
        self._copies[key] = replace(self._copies[key], state=State.ORPHANED)

    def _check(self) -> None:
        if self.down:
            raise ProviderError(self.down, where=self.name)

    async def _launch(self, workload: Workload) -> Running:
        ports: dict[str, int] = {}
        for name, port in workload.ports.items():
            try:
                server = await asyncio.start_server(self._answer(workload.service), "127.0.0.1", port)
            except OSError:
                await self._end(workload.key)
                raise PortInUse(f"port {port} is taken", where=f"{self.name}/{workload.name}") from None
            self._servers.setdefault(workload.key, []).append(server)
            ports[name] = server.sockets[0].getsockname()[1]
        return Running(
            key=workload.key,
            name=workload.name,
            service=workload.service,
            state=State.RUNNING,
            ports=ports,
            started=datetime.now(UTC),
        )

    def _answer(self, service: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(BUSY if service in self.ill else READY)
            await writer.drain()
            writer.close()

        return answer

    async def _end(self, key: str) -> None:
        for server in self._servers.pop(key, []):
            server.close()
            await server.wait_closed()
