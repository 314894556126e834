"""An open-loop load: requests start on time, however long the earlier ones take, as visitors do.

It speaks HTTP/1.1 over kept connections by itself: on a machine of two cores a full client library would be the
largest part of what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import httptools
import msgspec

TIMEOUT = 20.0


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One request: when it started (seconds after the load began), how long it took, what came back."""

    at: float
    seconds: float
    status: int
    path: str
    site: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether a visitor would have seen an error."""
        return self.status != 200


class Connection(asyncio.Protocol):
    """One kept connection, with one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.site = ""
        self._answer: asyncio.Future[int] | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed before the end of the answer"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-amalthea-site":
            self.site = value.decode()

    def on_message_complete(self) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())
        self._parser = httptools.HttpResponseParser(self)

    async def ask(self, host: str, path: str) -> int:
        """The status of one GET."""
        assert self.transport is not None
        self.site = ""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        return await self._answer


class Load:
    """`rate` requests a second to `targets` (host, path) in turn, for `seconds`; `samples` fill while it runs."""

    def __init__(self, port: int, targets: Sequence[tuple[str, str]], *, rate: float, seconds: float) -> None:
        self.port = port
        self.targets = targets
        self.rate = rate
        self.seconds = seconds
        self.samples: list[Sample] = []
        self.began = 0.0
        self._idle: list[Connection] = []

    async def run(self) -> list[Sample]:
        """Send every request and wait for the last answer."""
        self.began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(self.rate * self.seconds)):
                await asyncio.sleep(self.began + number / self.rate - time.perf_counter())
                tasks.create_task(self._sample(*self.targets[number % len(self.targets)]))
        for connection in self._idle:
            if connection.transport:
                connection.transport.close()
        return self.samples

    def now(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self.began

    async def _sample(self, host: str, path: str) -> None:
        started, status, site, error = self.now(), 0, "", ""
        try:
            async with asyncio.timeout(TIMEOUT):
                connection = await self._connection()
                status = await connection.ask(host, path)
            site = connection.site
            self._idle.append(connection)
        except (OSError, TimeoutError) as failure:
            error = repr(failure)
        took = self.now() - started
        self.samples.append(Sample(at=started, seconds=took, status=status, path=path, site=site, error=error))

    async def _connection(self) -> Connection:
        while self._idle:
            if (kept := self._idle.pop()).transport is not None:
                return kept
        _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
        return made
