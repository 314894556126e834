"""Small real servers that answer bytes as told, well or badly."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def whole(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> Answer:
    """One complete answer."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)

    return answer


async def hang(request: bytes, writer: asyncio.StreamWriter) -> None:
    """No answer at all."""
    await asyncio.sleep(60)


async def drip(request: bytes, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Bytes for ever, as fast as they are taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nwelcome")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def break_off(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Less than was promised."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nwelcome")


async def noise(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Something that is not HTTP."""
    writer.write(b"220 mail.example.org ESMTP\r\n")


@asynccontextmanager
async def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback; gives its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    handlers: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(handle(reader, writer))
        handlers.add(task)
        task.add_done_callback(handlers.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await server.wait_closed()
