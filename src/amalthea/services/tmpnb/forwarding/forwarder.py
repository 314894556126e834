"""Requests for a session, passed on to its server and back, piece by piece, as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpcore2
from starlette.types import Receive, Scope, Send

from amalthea.services.tmpnb.forwarding.headers import Pair, inwards, outwards
from amalthea.services.tmpnb.forwarding.upstream import Upstream

_PAGES = (b"lab", b"tree", b"notebooks", b"doc", b"edit", b"consoles", b"terminals")
_PAGE_BYTES = 1 << 20


class Gone(Exception):
    """The session's server does not answer any more."""


async def forward(scope: Scope, receive: Receive, send: Send, *, upstream: Upstream, base: str, strip: bytes) -> None:
    """Answer one request with what the server at `upstream` says. `strip` goes into its pages.

    Raises `Gone` where it says nothing; nothing has been sent then.
    """
    page = is_page(scope, base)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers = inwards(scope["headers"], plain=page)
    body = _body(receive) if _has_body(scope["headers"]) else None
    try:
        async with upstream.ask(scope["method"].encode(), target, headers, body) as answer:
            own = outwards(answer.headers, base=base.encode())
            if page and answer.status == 200 and _is_html(own):
                await _send_page(answer, own, strip, send)
            else:
                await _pass_on(answer, own, send)
    except ConnectionError as error:
        raise Gone(str(error)) from error


def is_page(scope: Scope, base: str) -> bool:
    """Whether a request asks for what a person looks at."""
    first = scope["raw_path"][len(base) :].split(b"/", 1)[0]
    return scope["method"] == "GET" and first in _PAGES


async def _pass_on(answer: httpcore2.Response, headers: list[Pair], send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    try:
        async for part in answer.aiter_stream():
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        return  # the server closes the connection of an answer that is not whole, so its visitor sees that
    await send({"type": "http.response.body", "body": b""})


async def _send_page(answer: httpcore2.Response, headers: list[Pair], strip: bytes, send: Send) -> None:
    """A page, with the strip in it."""
    try:
        parts = [part async for part in _bounded(answer.aiter_stream())]
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise ConnectionError(str(error)) from error
    whole = b"".join(parts)
    head, found, rest = whole.partition(b"</head>")
    body = head + strip + found + rest if found else whole
    kept = [pair for pair in headers if pair[0] not in (b"content-length", b"etag", b"content-md5")]
    kept.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": kept})
    await send({"type": "http.response.body", "body": body})


async def _bounded(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for part in parts:
        size += len(part)
        if size > _PAGE_BYTES:
            raise ConnectionError("the page is too long")
        yield part


def _is_html(headers: list[Pair]) -> bool:
    told = dict(headers)
    return told.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in told


def _has_body(headers: list[Pair]) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the visitor is gone")
        if part := message.get("body", b""):
            yield part
        if not message.get("more_body", False):
            return
