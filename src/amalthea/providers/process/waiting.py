"""Wait on descriptors that asyncio knows nothing of: sockets that carry descriptors, and pidfds."""

from __future__ import annotations

import asyncio
import select
import socket
from typing import Any

from amalthea.providers.process.warm import messages


async def readable(descriptor: int) -> None:
    """Until there is something to read; of a pidfd: until the process has ended."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def is_readable(descriptor: int) -> bool:
    """Whether there is something to read now."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


async def receive(on: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The next message on a socket that does not block, with its descriptors; None when nobody is there any more."""
    while True:
        try:
            return messages.receive(on)
        except BlockingIOError:
            await readable(on.fileno())
        except ConnectionError:
            return None, []
