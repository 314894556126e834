"""How a connection with a session ends."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

_PATIENCE = 1.0
_MOST_IGNORED = 64
_PIECE = 64 * 2**10


async def part(client: socket.socket, answer: bytes = b"") -> None:
    """Say the last words, and see to it that they arrive.

    To close while something unread is left resets the connection, and what was said is lost with it. So what still
    comes is read and dropped, for a while.
    """
    loop = asyncio.get_running_loop()
    with suppress(OSError):  # TimeoutError, too
        async with asyncio.timeout(_PATIENCE):
            await loop.sock_sendall(client, answer)
            client.shutdown(socket.SHUT_WR)
            for _ in range(_MOST_IGNORED):
                if not await loop.sock_recv(client, _PIECE):
                    return


def reset(*sockets: socket.socket) -> None:
    """Have them closed with a reset, so that nobody takes what was cut off for the whole."""
    for each in sockets:
        with suppress(OSError):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
