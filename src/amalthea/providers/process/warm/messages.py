"""Messages between the service, the warm parent and the sessions: JSON, with descriptors, on SOCK_SEQPACKET sockets."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

MOST_BYTES = 1 << 17
MOST_DESCRIPTORS = 8


def send(on: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message; the descriptors stay open here. Raises `OSError` when nobody is there to get it."""
    socket.send_fds(on, [json.dumps(message).encode()], list(descriptors))


def receive(on: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The next message and its descriptors, or None when the other side is gone. Raises `BlockingIOError`."""
    body, descriptors, _, _ = socket.recv_fds(on, MOST_BYTES, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    if not body:
        close(descriptors)
        return None, []
    message: dict[str, Any] = json.loads(body)
    return message, list(descriptors)


def close(descriptors: Sequence[int]) -> None:
    """Close them all."""
    for number in descriptors:
        os.close(number)
