"""A session's server, asked by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpcore2
import msgspec

_CONNECTIONS = 100
_CONNECT_SECONDS = 10.0
_BODY = 4 << 20
_FAILURES = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError)

Headers = list[tuple[bytes, bytes]]


class Upstream:
    """One server at an address as `Spawned` has it: `unix:<path>` or `<ip>:<port>`. Whoever made it closes it."""

    def __init__(self, address: str) -> None:
        self.address = address
        kind, _, path = address.partition(":")
        self._pool = httpcore2.AsyncConnectionPool(
            uds=path if kind == "unix" else None,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=60.0,
            http1=True,
            http2=False,
            retries=0,
        )
        host, _, port = ("session", "", "80") if kind == "unix" else address.rpartition(":")
        self._host, self._port = host.strip("[]").encode(), int(port)

    @asynccontextmanager
    async def ask(
        self, method: bytes, target: bytes, headers: Headers, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[httpcore2.Response]:
        """Its answer, whose body is read from `aiter_stream`. Raises `OSError` where there is none."""
        url = httpcore2.URL(scheme=b"http", host=self._host, port=self._port, target=target)
        request = httpcore2.Request(
            method,
            url,
            headers=headers,
            content=body,
            extensions={"timeout": {"connect": _CONNECT_SECONDS, "pool": _CONNECT_SECONDS}},
        )
        try:
            answer = await self._pool.handle_async_request(request)
        except _FAILURES as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        try:
            yield answer
        finally:
            await answer.aclose()

    async def status(self, path: str, *, token: str) -> int:
        """The status of a GET that counts as nobody's activity. Raises `OSError`."""
        async with self.ask(b"GET", _untracked(path), _authorized(token)) as answer:
            await _read(answer)
            return answer.status

    async def json(self, path: str, *, token: str, kind: type[Any]) -> Any:
        """What a GET answers, as `kind`. Raises `OSError` for everything else: it comes from a stranger."""
        async with self.ask(b"GET", _untracked(path), _authorized(token)) as answer:
            body = await _read(answer)
            if answer.status != 200:
                raise ConnectionError(f"HTTP {answer.status}")
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise ConnectionError(str(error)) from error

    async def aclose(self) -> None:
        """Close its connections."""
        await self._pool.aclose()


async def _read(answer: httpcore2.Response) -> bytes:
    parts, size = list[bytes](), 0
    try:
        async for part in answer.aiter_stream():
            parts.append(part)
            size += len(part)
            if size > _BODY:
                raise ConnectionError("the answer is too long")
    except _FAILURES as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
    return b"".join(parts)


def _untracked(path: str) -> bytes:
    return f"{path}?no_track_activity=1".encode()


def _authorized(token: str) -> Headers:
    return [(b"host", b"localhost"), (b"authorization", f"token {token}".encode())]
