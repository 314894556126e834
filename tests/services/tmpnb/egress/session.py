"""A session whose network ends at a proxy, and what a stranger can do in it: open sockets, and use a client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from prometheus_client import CollectorRegistry

from amalthea.model.clock import Clock, system_clock
from amalthea.model.wire import convert
from amalthea.services.tmpnb.egress.instruments import EgressInstruments
from amalthea.services.tmpnb.egress.proxy import Egress
from amalthea.services.tmpnb.egress.records import Connection, Verdict
from amalthea.services.tmpnb.egress.rules import Rules
from amalthea.services.tmpnb.egress.settings import EgressSettings
from amalthea.web.addresses import Resolve
from tests.services.tmpnb.egress.origin import HERE, contexts

NAME = "ada-1"
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Session:
    """`port` is the proxy's; `task` is what serves."""

    def __init__(self, egress: Egress, listener: socket.socket, registry: CollectorRegistry) -> None:
        self.egress = egress
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        self.task = asyncio.create_task(egress.serve(listener, NAME))
        self._registry = registry

    @property
    def connections(self) -> Sequence[Connection]:
        return self.egress.connections(NAME)

    @property
    def verdicts(self) -> list[Verdict]:
        return [connection.verdict for connection in self.connections]

    async def ended(self) -> list[Verdict]:
        """How all of them ended, once they have."""
        await self.until(lambda: Verdict.OPEN not in self.verdicts)
        return self.verdicts

    def count(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(f"amalthea_tmpnb_egress_{name}", labels) or 0

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, request: bytes) -> bytes:
        """Send something and return all that comes back before the end; what comes before a reset, too."""
        reader, writer = await self.open()
        writer.write(request)
        answer = b""
        try:
            async with asyncio.timeout(20):
                while piece := await reader.read(65536):
                    answer += piece
        except ConnectionError:
            pass
        await closed(writer)
        return answer

    async def tunnel(self, target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """An open tunnel."""
        reader, writer = await self.open()
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert await reader.readexactly(len(OPENED)) == OPENED
        return reader, writer

    def client(self, **options: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            proxy=f"http://127.0.0.1:{self.port}", verify=contexts()[1], trust_env=False, timeout=20, **options
        )

    async def until(self, state: Callable[[], bool]) -> None:
        """Wait for what has to become true."""
        async with asyncio.timeout(20):
            while not state():
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.listener.close()
        self.egress.close()


@asynccontextmanager
async def session(
    settings: Mapping[str, Any], *, resolve: Resolve, clock: Clock = system_clock, contact: str = ""
) -> AsyncIterator[Session]:
    """A session that may reach `HERE`, and otherwise what `settings` say."""
    rules = Rules(convert({"networks": [f"{HERE}/32"], **settings}, EgressSettings), contact=contact)
    registry = CollectorRegistry()
    egress = Egress(rules, resolve=resolve, clock=clock, instruments=EgressInstruments(registry))
    made = Session(egress, socket.create_server(("127.0.0.1", 0), backlog=256), registry)
    try:
        yield made
    finally:
        await made.end()


async def nowhere(host: str, port: int) -> Sequence[str]:
    """A look-up that finds nothing."""
    raise OSError("no address")


async def here(host: str, port: int) -> Sequence[str]:
    """A look-up that finds every name where origins stand."""
    return [HERE]


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close, whatever state it is in."""
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
