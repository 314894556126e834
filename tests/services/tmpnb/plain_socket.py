"""A WebSocket of the plain server, which says again what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.services.tmpnb.plain_server import Headers, Line

_PIECE = 1 << 16


class Socket:
    """One end of a WebSocket, on the connection of the request that asked for it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._protocol = ServerProtocol(max_size=None)

    async def accept(self, headers: Headers = ()) -> None:
        """Say yes."""
        self._line.over = True
        self._protocol.receive_data(self._line.asked.head)
        (request,) = self._protocol.events_received()
        assert isinstance(request, Request)
        response = self._protocol.accept(request)
        for name, value in headers:
            response.headers[name] = value
        self._protocol.send_response(response)
        await self._flush()

    async def frames(self) -> AsyncIterator[Frame]:
        """What arrives, until one side closes."""
        while data := await self._line.reader.read(_PIECE):
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                assert isinstance(event, Frame)
                if event.opcode is Opcode.CLOSE:
                    await self._flush()
                    return
                yield event
            await self._flush()

    async def send(self, data: bytes, *, text: bool = False, fin: bool = True, more: bool = False) -> None:
        """One frame: of text or of bytes, or `more` of the one before."""
        if more:
            self._protocol.send_continuation(data, fin)
        elif text:
            self._protocol.send_text(data, fin)
        else:
            self._protocol.send_binary(data, fin)
        await self._flush()

    async def close(self) -> None:
        """Say goodbye."""
        self._protocol.send_close(1000, "goodbye")
        await self._flush()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            await self._line.write(data)


async def echo(line: Line) -> None:
    """Say again what is said, frame for frame; close when told so."""
    socket = Socket(line)
    await socket.accept()
    async for frame in socket.frames():
        if frame.opcode is Opcode.TEXT and bytes(frame.data) == b"close":
            await socket.close()
            return
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            more = frame.opcode is Opcode.CONT
            await socket.send(bytes(frame.data), text=frame.opcode is Opcode.TEXT, fin=frame.fin, more=more)
