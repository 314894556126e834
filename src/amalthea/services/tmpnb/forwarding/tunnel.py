"""WebSockets for a session: the visitor's connection and its server's, joined, and passed through as they are.

Nothing of what goes through is looked into, so that it costs next to nothing, and whatever two ends agree on works.
A side that does not read as fast as the other writes slows that down: nothing piles up here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from amalthea.services.tmpnb.forwarding.headers import Pair, inwards

_CONNECT_SECONDS = 10.0
_BUFFER = 1 << 18

Find = Callable[[bytes, bytes], str | None]
"""The address of the session's server that answers a path under a host, or None."""


class Half(asyncio.Protocol):
    """One end of a tunnel; what it reads, the `other` writes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_BUFFER)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """Slow to be read from, so the other end reads no more."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """It goes on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of one is the end of both."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()
        self.transport = None


class Tunnel(Half):
    """The visitor's end: what uvicorn makes of a request that asks for a WebSocket, instead of reading it."""

    def __init__(self, tunnels: Tunnels) -> None:
        super().__init__()
        self._tunnels = tunnels
        self._head = b""
        self._joining: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is read before the other end is there."""
        super().connection_made(transport)
        self._tunnels.open.add(self)
        assert self.transport is not None
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """First comes the request's head, whole; then everything goes through."""
        if self._joining is None:
            self._head = data
            self._joining = asyncio.get_running_loop().create_task(self._join())
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Both ends go."""
        self._tunnels.open.discard(self)
        if self._joining is not None:
            self._joining.cancel()
        super().connection_lost(exc)

    async def _join(self) -> None:
        line, headers = _parsed(self._head)
        target = line.split(b" ")[1]
        address = self._tunnels.find(dict(headers).get(b"host", b""), target.partition(b"?")[0])
        if address is None:
            self._refuse(b"404 Not Found")
            return
        other = Half()
        other.other = self
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await _connect(other, address)
        except (OSError, TimeoutError):
            self._refuse(b"502 Bad Gateway")
            return
        if self.transport is None or other.transport is None:
            other.connection_lost(None)
            return
        self.other = other
        other.transport.write(_written(line, headers))
        self.transport.resume_reading()

    def _refuse(self, status: bytes) -> None:
        if self.transport is not None:
            self.transport.write(b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
            self.transport.close()


class Tunnels:
    """All tunnels of a server; called, it makes one."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self.open = set[Tunnel]()

    def __call__(self, config: Config, server_state: ServerState, app_state: Any) -> Tunnel:
        """As uvicorn asks for it."""
        return Tunnel(self)

    def close(self) -> None:
        """End all of them: a browser tries again, wherever its session is by then."""
        for tunnel in list(self.open):
            if tunnel.transport is not None:
                tunnel.transport.close()


async def _connect(end: Half, address: str) -> None:
    loop = asyncio.get_running_loop()
    kind, _, path = address.partition(":")
    if kind == "unix":
        await loop.create_unix_connection(lambda: end, path)
    else:
        host, _, port = address.rpartition(":")
        await loop.create_connection(lambda: end, host.strip("[]"), int(port))


def _parsed(head: bytes) -> tuple[bytes, list[Pair]]:
    """The request's line and headers, as uvicorn wrote them out again."""
    line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (each.partition(b":") for each in lines)
    return line, [(name.lower(), value.strip()) for name, _, value in pairs]


def _written(line: bytes, headers: list[Pair]) -> bytes:
    kept = [*inwards(headers, plain=False), (b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    return b"\r\n".join([line, *(b"%b: %b" % pair for pair in kept), b"", b""])
