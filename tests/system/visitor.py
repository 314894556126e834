"""A visitor of temporary notebook servers, as a browser is one: clicks, pages, kernels and their WebSockets."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
from websockets.asyncio.client import ClientConnection, connect

HOST = "try.localhost"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What leads to one session: the address of its first page, the path of all of them, and what opens them."""

    url: str
    base: str
    token: str

    @classmethod
    def read(cls, url: str) -> Link:
        """Out of an address with a token."""
        parts = urlsplit(url)
        if not parts.path.startswith("/user/"):
            raise ValueError(f"this leads to no session: {url}")
        name = parts.path.split("/")[2]
        return cls(url=url, base=f"/user/{name}/", token=parse_qs(parts.query)["token"][0])

    @property
    def name(self) -> str:
        """The session's name, which ends in its site's."""
        return self.base.split("/")[2]

    @property
    def shown(self) -> dict[str, str]:
        """The header that opens it."""
        return {"authorization": f"token {self.token}"}


class Visitor:
    """One browser, with cookies of its own, before the edge at a port of this machine."""

    def __init__(self, port: int, *, host: str = HOST) -> None:
        self.port = port
        self.host = host
        self.client = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"host": f"{host}:{port}"},
            trust_env=False,
            verify=False,  # there is no TLS here, and reading certificates takes longer than a page
            timeout=60,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def click(self) -> Link:
        """The first offer of the front page, waiting in the queue where that is what comes."""
        return await self._led(await self.client.post("/spawn", data={"offer": "0"}))

    async def _led(self, answer: httpx2.Response) -> Link:
        """Where a form leads in the end."""
        while answer.status_code == 303 and (place := answer.headers["location"]).startswith("/wait/"):
            async with self.client.stream("GET", f"{place}/events") as events:
                async for line in events.aiter_lines():
                    if '"ready"' in line or '"failed"' in line:
                        break
            answer = await self.client.get(place)
        if answer.status_code != 303:
            raise RuntimeError(f"HTTP {answer.status_code} instead of a session: {answer.text[:300]}")
        return Link.read(answer.headers["location"])

    async def spawn(self) -> Link:
        """The same by the API."""
        answer = await self.client.post("/api/spawn")
        if answer.status_code != 200:
            raise RuntimeError(f"HTTP {answer.status_code} instead of a session: {answer.text[:300]}")
        return Link.read(answer.json()["url"])

    async def page(self, link: Link) -> str:
        """JupyterLab's page."""
        answer = await self.client.get(link.url)
        if answer.status_code != 200 or "jupyter-config-data" not in answer.text:
            raise RuntimeError(f"HTTP {answer.status_code} instead of JupyterLab")
        return answer.text

    async def kernel(self, link: Link) -> str:
        """Start one; its id."""
        answer = await self.client.post(f"{link.base}api/kernels", json={"name": "python3"}, headers=link.shown)
        if answer.status_code != 201:
            raise RuntimeError(f"HTTP {answer.status_code} instead of a kernel: {answer.text[:300]}")
        return str(answer.json()["id"])

    async def save(self, link: Link, path: str, text: str) -> None:
        """Write a file."""
        model = {"type": "file", "format": "text", "content": text}
        answer = await self.client.put(f"{link.base}api/contents/{path}", json=model, headers=link.shown)
        answer.raise_for_status()

    async def read(self, link: Link, path: str) -> str:
        """What a file holds."""
        answer = await self.client.get(f"{link.base}api/contents/{path}", headers=link.shown)
        answer.raise_for_status()
        return str(answer.json()["content"])

    async def end(self, link: Link) -> None:
        """End it now."""
        (await self.client.post(f"{link.base}-/end", headers=link.shown)).raise_for_status()

    @asynccontextmanager
    async def channels(self, link: Link, kernel: str) -> AsyncIterator[Channels]:
        """The WebSocket of a kernel, as browsers open it; its end is not waited for, which an edge delays."""
        url = f"ws://{self.host}:{self.port}{link.base}api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
        options: dict[str, Any] = {"additional_headers": link.shown, "proxy": None, "max_size": None}
        async with connect(
            url, host="127.0.0.1", port=self.port, open_timeout=30, close_timeout=0.1, **options
        ) as socket:
            yield Channels(socket)


class Channels:
    """The open channels of one kernel."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._session = uuid.uuid4().hex

    async def execute(self, code: str, *, seconds: float = 60) -> str:
        """Run code; the text of its result, or of what it printed where it has none."""
        asked = self._request("execute_request", {"code": code, "silent": False, "store_history": True})
        async with asyncio.timeout(seconds):
            await self.socket.send(json.dumps(asked))
            return await self._result(asked["header"]["msg_id"])

    async def first_output(self, code: str) -> str:
        """Run code and do not wait for its end, only for its result."""
        asked = self._request("execute_request", {"code": code, "silent": False, "store_history": True})
        await self.socket.send(json.dumps(asked))
        async for message in self._answers(asked["header"]["msg_id"]):
            if message["msg_type"] == "execute_result":
                return str(message["content"]["data"]["text/plain"])
        raise RuntimeError("no result")

    def _request(self, kind: str, content: Mapping[str, object]) -> dict[str, Any]:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "session": self._session,
            "username": "",
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }
        rest = {"parent_header": {}, "metadata": {}, "buffers": [], "channel": "shell"}
        return {"header": header, "content": {"user_expressions": {}, "allow_stdin": False, **content}, **rest}

    async def _answers(self, asked: str) -> AsyncIterator[dict[str, Any]]:
        while True:
            message: dict[str, Any] = json.loads(await self.socket.recv())
            if message["parent_header"].get("msg_id") == asked:
                yield message

    async def _result(self, asked: str) -> str:
        """Until it has said both that it is done and that it is idle, which come in any order."""
        found, missing = "", {"execute_reply", "idle"}
        async for message in self._answers(asked):
            content = message["content"]
            match message["msg_type"]:
                case "execute_result":
                    found = content["data"]["text/plain"]
                case "stream":
                    found = found or content["text"]
                case "error":
                    raise RuntimeError("\n".join(content["traceback"]))
                case "execute_reply":
                    missing.discard("execute_reply")
                case "status" if content["execution_state"] == "idle":
                    missing.discard("idle")
            if not missing:
                return found
        raise RuntimeError("no result")
