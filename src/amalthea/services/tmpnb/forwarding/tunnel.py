"""WebSockets for a session: the visitor's connection and its server's, joined, and passed through as they are.

Once both have agreed, nothing of what goes through is looked into, so that it costs next to nothing, and whatever two
ends agree on works. A side that does not read as fast as the other writes slows that down: nothing piles up here.

A server that does not agree has said all that it gets to say: whoever came by that connection - which may be a proxy
with requests of others to send - would else talk to it from then on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from amalthea.services.tmpnb.forwarding.headers import Pair, inwards, outwards
from amalthea.services.tmpnb.sessions.session import Session

_CONNECT_SECONDS = 10.0
_LINGER_SECONDS = 5.0
_BUFFER = 1 << 18
_HEAD = 1 << 16
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}(?: [ -~]{0,100})?)")
_YES = b"101"
_NONSENSE = b"502 Bad Gateway"

Find = Callable[[bytes, bytes], tuple[str, str] | None]
"""The address of the session's server that answers a path under a host, and the path that is all its own; or None."""


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
        """The end of one is the end of both; what the other has not read by then, it reads soon, or never."""
        if self.other is not None and self.other.transport is not None:
            self.other.close()
        self.transport = None

    def close(self) -> None:
        """End it when all is written that waits to be."""
        if self.transport is not None:
            self.transport.close()


class Inner(Half):
    """The end at the session's server. Its answer is read first: nothing in it may reach beyond `base`."""

    def __init__(self, visitor: Tunnel, base: str) -> None:
        super().__init__()
        self._visitor = visitor
        self._base = base.encode()
        self._head = b""
        self._agreed = False
        self.other = visitor

    def data_received(self, data: bytes) -> None:
        """First comes the answer's head; once that is a yes, everything goes through."""
        if self._agreed:
            super().data_received(data)
            return
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if found:
            self._answered(head, rest)
        elif len(self._head) > _HEAD:
            self._visitor.refuse(_NONSENSE)

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that goes away without an answer has given a bad one."""
        if not self._agreed:
            self._visitor.refuse(_NONSENSE)
        super().connection_lost(exc)

    def _answered(self, head: bytes, rest: bytes) -> None:
        line, headers = _parsed(head)
        status = _STATUS.fullmatch(line)
        if status is None or (status[1].startswith(b"1") and status[1][:3] != _YES):
            self._visitor.refuse(_NONSENSE)
        elif status[1][:3] != _YES:
            self._visitor.refuse(status[1])
        else:
            self._agreed = True
            super().data_received(_written(line, outwards(headers, base=self._base)) + rest)


class Tunnel(Half):
    """The visitor's end: what uvicorn makes of a request that asks for a WebSocket, instead of reading it."""

    def __init__(self, tunnels: Tunnels) -> None:
        super().__init__()
        self.base = ""
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
        found = self._tunnels.find(dict(headers).get(b"host", b""), target.partition(b"?")[0])
        if found is None:
            self.refuse(b"404 Not Found")
            return
        address, self.base = found
        other = Inner(self, self.base)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await _connect(other, address)
        except (OSError, TimeoutError):
            self.refuse(_NONSENSE)
            return
        if self.transport is None or other.transport is None:
            other.connection_lost(None)
            return
        self.other = other
        other.transport.write(_written(line, inwards(headers, plain=False)))
        self.transport.resume_reading()

    def refuse(self, status: bytes) -> None:
        """Say that there will be no WebSocket, and end it."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
            self.close()

    def close(self) -> None:
        """End it; a visitor who does not read what is left within some seconds is not waited for."""
        if self.transport is not None:
            self.transport.close()
            if self.transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(self._tunnels.linger, self.transport.abort)


class Tunnels:
    """All tunnels of a server; called, it makes one. `linger` is how long one may take to end.

    A companion of sessions, since a tunnel whose visitor does not read would not notice the end of one.
    """

    def __init__(self, find: Find) -> None:
        self.find = find
        self.open = set[Tunnel]()
        self.linger = _LINGER_SECONDS

    def __call__(self, config: Config, server_state: ServerState, app_state: Any) -> Tunnel:
        """As uvicorn asks for it."""
        return Tunnel(self)

    async def begins(self, session: Session) -> None:
        """Nothing to do."""

    async def ends(self, session: Session) -> None:
        """End those that lead there."""
        for tunnel in [tunnel for tunnel in self.open if tunnel.base == session.base]:
            tunnel.close()

    def close(self) -> None:
        """End all of them: a browser tries again, wherever its session is by then."""
        for tunnel in list(self.open):
            tunnel.close()


async def _connect(end: Half, address: str) -> None:
    loop = asyncio.get_running_loop()
    kind, _, path = address.partition(":")
    if kind == "unix":
        await loop.create_unix_connection(lambda: end, path)
    else:
        host, _, port = address.rpartition(":")
        await loop.create_connection(lambda: end, host.strip("[]"), int(port))


def _parsed(head: bytes) -> tuple[bytes, list[Pair]]:
    """The first line and the headers, by small letters."""
    line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (each.partition(b":") for each in lines)
    return line, [(name.lower(), value.strip()) for name, _, value in pairs]


def _written(line: bytes, headers: list[Pair]) -> bytes:
    kept = [*headers, (b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    return b"\r\n".join([line, *(b"%b: %b" % pair for pair in kept), b"", b""])
