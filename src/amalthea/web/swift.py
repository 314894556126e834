"""Answers that are ready leave without the application being asked.

`Swift` stands around an application and keeps its public answers for as long as they say that they are fresh
(`Cache-Control: public, max-age=...` with an `ETag`). `SwiftProtocol`, uvicorn's own with one step more, looks there
as soon as a request's headers are read, and writes the kept bytes: no task, no routing, no copy of the headers. What
is not there, has a body, asks for a range or says who the visitor is takes the usual way.

An answer that may not be kept drops what is kept for its path, so that a page that was asked for afresh is not
followed by the older one.
"""

from __future__ import annotations

import re
import time
from asyncio import TimerHandle
from collections import OrderedDict
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from amalthea.web.encodings import Encoding, accepted

Headers = Sequence[tuple[bytes, bytes]]
_MAX_AGE = re.compile(rb"public, max-age=([0-9]{1,8})\b")
_METHODS = (b"GET", b"HEAD")
_LARGEST = 2**20
_LONGEST_PATH = 8192
_OVERHEAD = 1000
_PERSONAL = frozenset((b"authorization", b"content-length", b"transfer-encoding", b"range", b"expect", b"upgrade"))
_OF_THE_BODY = frozenset((b"content-length", b"content-encoding", b"content-type"))


class Kept(msgspec.Struct):
    """One answer: its lines for 200 and for 304, its body, and when it was made and ends, in seconds."""

    etag: bytes
    head: bytes
    short: bytes
    body: bytes
    made: float
    ends: float
    told: Headers | None = None
    ready: tuple[bytes, bytes] = (b"", b"")

    def heads(self, own: Headers, *, now: float) -> tuple[bytes, bytes]:
        """All lines before the body, for 200 and for 304. `own` are the server's; it has new ones every second."""
        if self.told is not own:
            more = _fields(own) + b"age: %d\r\n\r\n" % (now - self.made)
            self.told, self.ready = own, (self.head + more, self.short + more)
        return self.ready


class Swift:
    """The application, and up to `memory` bytes of its answers by host, path, query and encoding."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        memory: int,
        registry: CollectorRegistry,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.used = 0
        self._limit = memory
        self._seconds = seconds
        self._kept: OrderedDict[tuple[bytes, bytes], dict[tuple[bytes, Encoding], Kept]] = OrderedDict()
        answered = Counter(
            "amalthea_http_ready_total", "Requests answered with bytes kept ready.", ("status",), registry=registry
        )
        self._whole, self._unchanged = answered.labels("200"), answered.labels("304")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and keep the answer where it may be kept."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        where = _host(scope["headers"]), scope["raw_path"]  # before anybody on the way takes a part of the path off
        await self.app(scope, receive, _Recorder(self, scope, where, send) if where[0] else send)

    def find(self, target: bytes, headers: Headers) -> tuple[Kept, bool] | None:
        """The answer that is ready, and whether the visitor has it already."""
        host = coding = known = b""
        for name, value in headers:
            if name == b"host":
                if host:  # of two hosts, who knows which the application would take
                    return None
                host = value
            elif name == b"accept-encoding":
                coding = value
            elif name == b"if-none-match":
                known = value
            elif name in _PERSONAL:
                return None
        path, _, query = target.partition(b"?")
        found = self._kept.get((host, path))
        kept = found.get((query, accepted(coding.decode("latin-1")))) if found else None
        if kept is None or kept.ends <= self._seconds():
            return None
        self._kept.move_to_end((host, path))
        has = bool(known) and (known == kept.etag or known == b"*" or kept.etag in known.split(b", "))
        (self._unchanged if has else self._whole).inc()
        return kept, has

    def keep(self, scope: Scope, where: tuple[bytes, bytes], headers: Headers, body: bytes) -> None:
        """Keep one answer, or drop what is kept for its host and path."""
        told, asked = dict(headers), dict(scope["headers"])
        fresh = _MAX_AGE.match(told.get(b"cache-control", b""))
        if fresh is None:
            self._drop(where)
            return
        varies = told.get(b"vary", b"").lower() in (b"", b"accept-encoding")
        personal = b"set-cookie" in told or not _PERSONAL.isdisjoint(asked)
        if b"etag" not in told or not varies or personal or len(body) > _LARGEST or int(fresh[1]) == 0:
            return
        if len(where[1]) + len(scope["query_string"]) > _LONGEST_PATH:
            return
        now = self._seconds()
        kept = Kept(
            etag=told[b"etag"],
            head=_lines(HTTPStatus.OK, headers),
            short=_lines(HTTPStatus.NOT_MODIFIED, [pair for pair in headers if pair[0] not in _OF_THE_BODY]),
            body=body,
            made=now,
            ends=now + int(fresh[1]),
        )
        encoding = accepted(asked.get(b"accept-encoding", b"").decode("latin-1"))
        self._put(where, (scope["query_string"], encoding), kept)

    def _put(self, where: tuple[bytes, bytes], which: tuple[bytes, Encoding], kept: Kept) -> None:
        found = self._kept.setdefault(where, {})
        self._kept.move_to_end(where)
        before = found.get(which)
        self.used += _size(which, kept) - (_size(which, before) if before else 0)
        found[which] = kept
        while self.used > self._limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, where: tuple[bytes, bytes]) -> None:
        self.used -= sum(_size(*one) for one in self._kept.pop(where, {}).items())


class _Recorder:
    """Sends an answer on, and shows it to `Swift` when it is whole."""

    def __init__(self, swift: Swift, scope: Scope, where: tuple[bytes, bytes], send: Send) -> None:
        self._swift = swift
        self._scope = scope
        self._where = where
        self._send = send
        self._headers: Headers = ()
        self._kept = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._headers = message["headers"]
            self._kept = message["status"] == HTTPStatus.OK and self._scope["method"] == "GET"
        elif self._kept:
            self._kept = False
            if not message.get("more_body", False):
                self._swift.keep(self._scope, self._where, self._headers, message.get("body", b""))
        await self._send(message)


class SwiftProtocol(HttpToolsProtocol):
    """One connection of a server whose application is `Swift`."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        assert isinstance(self.config.app, Swift)
        self._swift = self.config.app
        self._answered = False
        self._last = 0.0
        self._idle: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the connection."""
        if self._idle is not None:
            self._idle.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; what only the application needs is made when it is asked."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Answer at once, or go the usual way."""
        self._answered = self._is_plain() and self._answer()
        if not self._answered:
            url, headers, expects = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expects
            self.headers.extend(headers)
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """What comes with a request that is answered already is of no use."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if not self._answered:
            super().on_message_complete()

    def _is_plain(self) -> bool:
        """Whether nothing about this request or its connection is out of the ordinary."""
        parser = self.parser
        plain = parser.get_method() in _METHODS and parser.get_http_version() == "1.1" and parser.should_keep_alive()
        return plain and self._is_idle() and not self.flow.write_paused and not self.transport.is_closing()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _answer(self) -> bool:
        found = self._swift.find(self.url, self.headers)
        if found is None:
            return False
        kept, has = found
        head, short = kept.heads(self.server_state.default_headers, now=self.loop.time())
        if has:
            self.transport.write(short)
        else:
            self.transport.write(head + kept.body if self.parser.get_method() == b"GET" else head)
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self._last = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.timeout_keep_alive, self._end_if_idle)
        return True

    def _end_if_idle(self) -> None:
        """One timer a connection, not one a request: it looks how long ago the last answer was."""
        left = self._last + self.timeout_keep_alive - self.loop.time()
        if left > 0 or not self._is_idle() or self.timeout_keep_alive_task is not None:
            self._idle = self.loop.call_later(max(left, 1.0), self._end_if_idle)
        else:
            self._idle = None
            self.timeout_keep_alive_handler()


def _lines(status: HTTPStatus, headers: Headers) -> bytes:
    return b"HTTP/1.1 %d %b\r\n%b" % (status, status.phrase.encode(), _fields(headers))


def _fields(headers: Headers) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in headers)


def _host(headers: Headers) -> bytes:
    """The host that is asked; empty where there is none, or more than one."""
    hosts = [value for name, value in headers if name == b"host"]
    return hosts[0] if len(hosts) == 1 else b""


def _size(which: tuple[bytes, Encoding], kept: Kept) -> int:
    """All that it takes: its lines are there twice, once with the time of day."""
    return len(which[0]) + len(kept.body) + 2 * (len(kept.head) + len(kept.short)) + _OVERHEAD
