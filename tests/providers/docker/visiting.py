"""What a visitor does: orders a session, and asks its server."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from typing import Any

from amalthea.model.spawner import Limits, Order, Spawned
from amalthea.model.units import ByteSize

MEBIBYTE = 2**20
TOKEN = "a-token-that-opens-it"


def order(name: str, **fields: Any) -> Order:
    """An order with limits that a test can reach."""
    sizes: dict[str, Any] = {"memory": ByteSize(400 * MEBIBYTE), "disk": ByteSize(16 * MEBIBYTE)}
    limits = Limits(**{"cpu": 1, "processes": 80, "files": 200, "open_files": 512, **sizes, **fields.pop("limits", {})})
    return Order(name=name, environment="base", base_url=f"/user/{name}/", token=TOKEN, limits=limits, **fields)


async def get(session: Spawned, path: str, *, token: str = TOKEN) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON and headers of what its server answers at `path` below its own."""
    return await asyncio.to_thread(_asked, session, path, token)


def _asked(session: Spawned, path: str, token: str) -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(10)
        connection.sock.connect(session.address.removeprefix("unix:"))
        connection.request("GET", f"/user/{session.name}/{path}", headers={"Authorization": f"token {token}"})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body[:1] in (b"{", b"[") else body, dict(answer.getheaders())
    finally:
        connection.close()
