"""A visitor of a notebook server: asks it for pages, and runs code in its kernels."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect, unix_connect

from amalthea.model.spawner import Order, Spawned

SECONDS = 60.0


class Answer:
    """What came back: a status, header fields by small letters, and a body."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def json(self) -> Any:
        return json.loads(self.body)


class Kernel:
    """A kernel and the connection to it."""

    def __init__(self, number: str, connection: ClientConnection) -> None:
        self.number = number
        self._connection = connection

    async def run(self, code: str) -> str:
        """All that the code prints, or shows at its end; or `Name: text` of what it raised."""
        await self.begin(code)
        return await self.finish()

    async def begin(self, code: str) -> None:
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        self._asked = uuid.uuid4().hex
        header = {"msg_id": self._asked, "msg_type": "execute_request", "username": "", "session": "visitor"}
        message = {"header": {**header, "date": "", "version": "5.3"}, "parent_header": {}, "content": content}
        await self._connection.send(json.dumps({**message, "metadata": {}, "channel": "shell", "buffers": []}))

    async def finish(self) -> str:
        said = ""
        while True:
            message = json.loads(await asyncio.wait_for(self._connection.recv(), SECONDS))
            if message["parent_header"].get("msg_id") != self._asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                said += content["text"]
            elif kind == "execute_result":
                said += content["data"]["text/plain"]
            elif kind == "error":
                said += f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                return said.strip()


class Visitor:
    """Whoever ordered that session."""

    def __init__(self, spawned: Spawned, order: Order) -> None:
        self.address = spawned.address
        self.order = order

    async def ask(self, path: str, *, method: str = "GET", body: Any = None, token: str | None = None) -> Answer:
        """The answer for a path below the base URL; without a token of its own, with the order's."""
        given = self.order.token if token is None else token
        sent = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {self.order.base_url}{path} HTTP/1.0", "Host: localhost", f"Content-Length: {len(sent)}"]
        if given:
            lines.append(f"Authorization: token {given}")
        reader, writer = await self._connection()
        writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
        raw = await asyncio.wait_for(reader.read(), SECONDS)
        writer.close()
        await writer.wait_closed()
        return Answer(raw)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.startswith("unix:"):
            return await asyncio.open_unix_connection(self.address.removeprefix("unix:"))
        host, _, port = self.address.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    @asynccontextmanager
    async def kernel(self, name: str = "python3") -> AsyncIterator[Kernel]:
        """A new kernel."""
        answer = await self.ask("api/kernels", method="POST", body={"name": name})
        assert answer.status == 201, answer.body
        async with self.channels(answer.json()["id"]) as kernel:
            yield kernel

    @asynccontextmanager
    async def channels(self, number: str) -> AsyncIterator[Kernel]:
        """A kernel that there is."""
        path = f"{self.order.base_url}api/kernels/{number}/channels?token={self.order.token}"
        if self.address.startswith("unix:"):
            opened = unix_connect(
                self.address.removeprefix("unix:"), f"ws://localhost{path}", max_size=None, proxy=None
            )
        else:
            opened = connect(f"ws://{self.address}{path}", max_size=None, proxy=None)
        async with opened as connection:
            yield Kernel(number, connection)

    async def run(self, code: str) -> str:
        """What the code says in a kernel of its own."""
        async with self.kernel() as kernel:
            return await kernel.run(code)
