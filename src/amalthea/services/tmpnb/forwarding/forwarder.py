"""Requests for a session, passed on to its server and back, piece by piece, as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpcore2
from starlette.types import Receive, Scope, Send

from amalthea.services.tmpnb.forwarding.headers import Pair, inwards, outwards
from amalthea.services.tmpnb.forwarding.upstream import Upstream

_PAGES = (b"lab", b"tree", b"notebooks", b"doc", b"edit", b"consoles", b"terminals")
_HEAD = b"</head>"
_HEAD_BYTES = 1 << 18
_BODILESS = frozenset((HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED))
_LAST_STATUS = 599
_BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError)


class Gone(Exception):
    """The session's server does not answer any more."""


async def forward(
    scope: Scope, receive: Receive, send: Send, *, upstream: Upstream, base: str, strip: bytes, policy: bytes
) -> None:
    """Answer one request with what the server at `upstream` says. `strip` goes into its pages.

    An answer without a policy of its own gets `policy`. When the visitor goes away, his request ends, too. Raises
    `Gone` where the server says nothing; nothing has been sent then.
    """
    visitor = _Visitor(receive, sends=_has_body(scope["headers"]))
    answering = asyncio.create_task(_answer(scope, visitor, send, upstream, base=base, strip=strip, policy=policy))
    leaving = asyncio.create_task(visitor.gone())
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _answer(
    scope: Scope, visitor: _Visitor, send: Send, upstream: Upstream, *, base: str, strip: bytes, policy: bytes
) -> None:
    page = is_page(scope, base)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers = inwards(scope["headers"], plain=page)
    if visitor.sends and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"transfer-encoding", b"chunked"))
    try:
        async with upstream.ask(
            scope["method"].encode(), target, headers, visitor.body() if visitor.sends else None
        ) as answer:
            visitor.heard()
            own = outwards(answer.headers, base=base.encode())
            if not any(name == b"content-security-policy" for name, _ in own):
                own.append((b"content-security-policy", policy))
            if answer.status > _LAST_STATUS:
                raise ConnectionError(f"there is no status {answer.status}")
            if page and answer.status == HTTPStatus.OK and _is_html(own):
                await _send_page(answer, own, strip, send)
            else:
                await _pass_on(answer, own, send)
    except ConnectionError as error:
        raise Gone(str(error)) from error


class _Visitor:
    """Whoever asks: what he sends, and whether he is still there."""

    def __init__(self, receive: Receive, *, sends: bool) -> None:
        self.sends = sends
        self._receive = receive
        self._heard = asyncio.Event()
        if not sends:
            self._heard.set()

    async def body(self) -> AsyncIterator[bytes]:
        """What he sends, piece by piece."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("the visitor is gone")
            if part := message.get("body", b""):
                yield part
            if not message.get("more_body", False):
                self._heard.set()
                return

    def heard(self) -> None:
        """Nothing more is read of what he sends."""
        self._heard.set()

    async def gone(self) -> None:
        """Wait until he is not there any more."""
        await self._heard.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def is_page(scope: Scope, base: str) -> bool:
    """Whether a request asks for what a person looks at."""
    first = scope["raw_path"][len(base) :].split(b"/", 1)[0]
    return scope["method"] == "GET" and first in _PAGES


async def _pass_on(answer: httpcore2.Response, headers: list[Pair], send: Send) -> None:
    if answer.status in _BODILESS:
        headers = [pair for pair in headers if pair[0] != b"content-length"]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await _pass_rest(answer.aiter_stream(), send)


async def _pass_rest(parts: AsyncIterator[bytes], send: Send) -> None:
    try:
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except _BROKEN:
        return  # the server closes the connection of an answer that is not whole, so its visitor sees that
    await send({"type": "http.response.body", "body": b""})


async def _send_page(answer: httpcore2.Response, headers: list[Pair], strip: bytes, send: Send) -> None:
    """A page, with the strip in it; one without a head, or with a very long one, goes through as it is."""
    parts = answer.aiter_stream()
    try:
        beginning = await _until_head(parts)
    except _BROKEN as error:
        raise ConnectionError(str(error)) from error
    head, found, rest = beginning.partition(_HEAD)
    added = strip if found else b""
    kept = [_longer(pair, len(added)) for pair in headers if pair[0] not in (b"etag", b"content-md5")]
    await send({"type": "http.response.start", "status": answer.status, "headers": kept})
    await send({"type": "http.response.body", "body": head + added + found + rest, "more_body": True})
    await _pass_rest(parts, send)


async def _until_head(parts: AsyncIterator[bytes]) -> bytes:
    """The beginning of a page, up to the end of its head."""
    beginning = b""
    async for part in parts:
        beginning += part
        if _HEAD in beginning or len(beginning) > _HEAD_BYTES:
            break
    return beginning


def _longer(pair: Pair, more: int) -> Pair:
    name, value = pair
    return (name, b"%d" % (int(value) + more)) if name == b"content-length" else pair


def _is_html(headers: list[Pair]) -> bool:
    told = dict(headers)
    return told.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in told


def _has_body(headers: list[Pair]) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)
