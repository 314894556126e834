"""A notebook server as small as can be, which speaks the few addresses that tmpnb and its tests use.

A real HTTP/1.1 server on a unix socket, in the loop of the test. What it answers below its base is in `answers`, so
that a test may add an answer of its own, however strange: an answer gets the request and the connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from amalthea.model.spawner import Home

PAGE = "<!doctype html><html><head><title>Plain</title></head><body>{}</body></html>"
Headers = tuple[tuple[str, str], ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as it arrived. `path` is below the server's base, and decoded."""

    method: str
    target: str
    path: str
    headers: Headers
    body: bytes
    head: bytes = b""

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key.lower() == name)


class Line:
    """The connection of one request, and how it is answered."""

    def __init__(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked = asked
        self.reader = reader
        self.writer = writer
        self.over = False

    async def answer(self, status: int = 200, body: bytes | str = b"", headers: Headers = ()) -> None:
        """All at once."""
        whole = body.encode() if isinstance(body, str) else body
        own = () if any(name.lower() == "content-length" for name, _ in headers) else (("Content-Length", len(whole)),)
        self.begin(status, (*headers, *own))
        await self.write(b"" if self.asked.method == "HEAD" else whole)

    async def json(self, value: Any, status: int = 200) -> None:
        await self.answer(status, json.dumps(value), (("Content-Type", "application/json"),))

    async def page(self, text: str = "", headers: Headers = ()) -> None:
        await self.answer(200, PAGE.format(text), (("Content-Type", "text/html; charset=utf-8"), *headers))

    def begin(self, status: int = 200, headers: tuple[tuple[str, object], ...] = ()) -> None:
        """The head of an answer."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        """One piece of an answer whose length nobody knows; an empty one is the last."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def break_off(self) -> None:
        """End the connection, whatever was promised."""
        self.over = True
        self.writer.close()


Answer = Callable[[Line], Awaitable[None]]
Attend = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class PlainServer:
    """One server below `base`, which `token` opens, on the files of `home`."""

    def __init__(self, base: str, token: str, home: Home) -> None:
        self.base = base
        self.token = token
        self.home = home
        self.kernels: list[dict[str, object]] = []
        self.terminals: list[dict[str, object]] | None = []
        self.asked: list[Asked] = []
        self.answers: dict[str, Answer] = {}
        self._tasks = set[asyncio.Task[None]]()
        self._writers = set[asyncio.StreamWriter]()
        self._attending: Attend = self._attend
        self._closed = False
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen at a unix socket."""
        self._server = await asyncio.start_unix_server(self._connected, path, start_serving=False)
        await self._server.start_serving()

    def replace(self, attend: Attend) -> None:
        """From now on `attend` has every new connection for itself."""
        self._attending = attend

    async def close(self) -> None:
        """End it with all its connections, as the end of a process does."""
        self._closed = True
        if self._server is not None:
            self._server.close()
        for _ in range(3):  # for those that are just being accepted
            await asyncio.sleep(0)
        for writer in list(self._writers):
            writer.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def paths(self) -> list[str]:
        """What it was asked for, in the order of coming."""
        return [asked.path for asked in self.asked]

    def last(self, path: str) -> Asked:
        """The last request for a path."""
        return next(asked for asked in reversed(self.asked) if asked.path == path)

    @property
    def connections(self) -> int:
        return len(self._tasks)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            writer.close()
            return
        self._writers.add(writer)
        task = asyncio.get_running_loop().create_task(self._attended(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attended(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._attending(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side went away
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await self._one(reader, writer):
            pass

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read(reader, self.base)
        self.asked.append(asked)
        line = Line(asked, reader, writer)
        await (self.answers.get(asked.path) or self._ordinary(asked))(line)
        return not line.over

    def _ordinary(self, asked: Asked) -> Answer:
        first, _, rest = asked.path.partition("/")
        if not self._opened(asked):
            return lambda line: line.json({"message": "Forbidden"}, 403)
        if first in ("lab", "tree", "notebooks", "files", "edit"):
            return lambda line: line.page(asked.path)
        if first != "api":
            return lambda line: line.json({"message": "Not Found"}, 404)
        if rest.startswith("contents/"):
            return lambda line: self._contents(line, rest.removeprefix("contents/"))
        known: Mapping[str, Any] = {"": {"version": "1"}, "kernels": self.kernels, "terminals": self.terminals}
        value = known.get(rest)
        return lambda line: line.json({}, 404) if value is None else line.json(value)

    def _opened(self, asked: Asked) -> bool:
        query = parse_qs(asked.target.partition("?")[2]).get("token", [""])[-1]
        return self.token in (query, asked.header("authorization").removeprefix("token "), _cookie(asked, "plain"))

    async def _contents(self, line: Line, path: str) -> None:
        if line.asked.method == "PUT":
            await self.home.write(path, json.loads(line.asked.body)["content"].encode())
            await line.json({"path": path}, 201)
        else:
            body = await self.home.read(path, most=1 << 20)
            await line.json({"path": path, "content": body.decode()})


async def _read(reader: asyncio.StreamReader, base: str) -> Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    told = {name.lower(): value for name, value in headers}
    if told.get("transfer-encoding", "") == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(told.get("content-length", "0")))
    path = unquote(target.partition("?")[0]).removeprefix(base)
    return Asked(method=method, target=target, path=path, headers=headers, body=body, head=head)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body


def _cookie(asked: Asked, name: str) -> str:
    pairs = (pair.strip().partition("=") for pair in asked.header("cookie").split(";"))
    return next((value for key, _, value in pairs if key == name), "")
