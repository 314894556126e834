"""One GET from somebody else's server, with a limit on everything: redirects, time, bytes.

The client is httpx2's engine rather than its `Client`: no cookies, no proxies from the environment, no
redirects and no unpacking happen unless a line below does them. Bytes are counted on the wire and again
unpacked, while they stream, so that a small compressed body cannot become a large one in memory. A host that
asks for a pause gets it, from every visitor.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ssl import SSLContext

import httpcore2
import httpx2
import msgspec

from amalthea import __version__
from amalthea.model.clock import Clock
from amalthea.services.nbviewer.errors import (
    Denied,
    Missing,
    RateLimited,
    Refused,
    SourceError,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from amalthea.services.nbviewer.fetching.addresses import Gate, PinnedBackend
from amalthea.services.nbviewer.memory import Memory
from amalthea.web.addresses import Resolve

USER_AGENT = f"amalthea-nbviewer/{__version__}"
_MOVED = frozenset({301, 302, 303, 307, 308})
_ONLY_FOR_THE_FIRST_HOST = frozenset({"authorization"})
_SHORTEST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(hours=1)
_RESTING_HOSTS = 4096


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` for everything, `size` in bytes on the wire and unpacked."""

    seconds: float
    size: int
    redirects: int
    connections: int = 64


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `body` is None where the source said that nothing has changed (304)."""

    url: str
    body: bytes | None
    digest: str = ""
    etag: str = ""
    modified: str = ""
    link: str = ""
    headers: Mapping[str, str] = {}


class Fetcher:
    """Fetches what `gate` lets through. `tls` decides which certificates are good."""

    def __init__(self, gate: Gate, limits: Limits, *, tls: SSLContext, resolve: Resolve, clock: Clock) -> None:
        self._gate = gate
        self._limits = limits
        self._clock = clock
        self._resting: Memory[datetime] = Memory(_RESTING_HOSTS, lambda until: 1)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.connections,
            keepalive_expiry=30,
            http2=True,
            network_backend=PinnedBackend(gate, resolve),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, etag: str = "", modified: str = ""
    ) -> Fetched:
        """Fetch; with validators, ask whether it has changed. Raises `SourceError`."""
        conditions = {"if-none-match": etag} if etag else {"if-modified-since": modified} if modified else {}
        return await self._within_time("GET", url, {**(headers or {}), **conditions})

    async def exists(self, url: str) -> bool:
        """Whether a HEAD finds anything. Raises `SourceError` for all but a plain no."""
        try:
            await self._within_time("HEAD", url, {})
        except Missing:
            return False
        return True

    async def _within_time(self, method: str, url: str, headers: Mapping[str, str]) -> Fetched:
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(method, url, headers)
        except Refused:
            raise Refused(url) from None
        except (TimeoutError, httpcore2.TimeoutException):
            raise TimedOut("The source did not answer in time.", where=url, hint="Try again in a minute.") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            raise Unavailable("The source cannot be reached.", where=url, hint="Try again in a minute.") from None

    async def _follow(self, method: str, start: str, headers: Mapping[str, str]) -> Fetched:
        target, sent = _target(start), dict(headers)
        for _ in range(self._limits.redirects + 1):
            async with self._answer(method, target, sent) as answer:
                told = _headers(answer)
                if answer.status not in _MOVED:
                    self._check_status(answer.status, told, target)
                    return await self._read(method, target, answer)
            there = _there(target, told.get("location", ""))
            if there.origin != target.origin:
                sent = {name: value for name, value in sent.items() if name not in _ONLY_FOR_THE_FIRST_HOST}
            target = there
        raise SourceError("The source redirects too often.", where=start)

    @asynccontextmanager
    async def _answer(
        self, method: str, target: httpx2.URL, headers: Mapping[str, str]
    ) -> AsyncIterator[httpcore2.Response]:
        port = target.port or (443 if target.scheme == "https" else 80)
        host = target.raw_host.decode()
        if not self._gate.admits(host, port):
            raise Refused(str(target))
        self._check_rest(target)
        fields: dict[bytes | str, bytes | str] = {
            "host": target.netloc.decode(),
            "user-agent": USER_AGENT,
            "accept": "*/*",
            "accept-encoding": "gzip",
        }
        fields.update(headers.items())
        url = httpcore2.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
        wait = self._limits.seconds
        timeouts = {"connect": min(10.0, wait), "read": wait, "write": wait, "pool": wait}
        async with self._pool.stream(method, url, headers=fields, extensions={"timeout": timeouts}) as response:
            yield response

    def _check_status(self, status: int, told: Mapping[str, str], target: httpx2.URL) -> None:
        where = str(target)
        if status in (200, 304):
            return
        if status in (404, 410):
            raise Missing(
                "The source says that there is nothing here.",
                where=where,
                hint="Check the spelling. What is private at its source cannot be shown either.",
            )
        if status == 429 or (status == 403 and ("retry-after" in told or told.get("x-ratelimit-remaining") == "0")):
            raise self._limited(told, target)
        if status == 401:
            raise Unauthorized("The source hands this out to those it knows only (HTTP 401).", where=where)
        if status in (403, 451):
            raise Denied(f"The source does not hand this out (HTTP {status}).", where=where)
        if status >= 500:
            raise Unavailable(f"The source has a problem of its own (HTTP {status}).", where=where)
        raise SourceError(f"The source answered with HTTP {status}.", where=where)

    def _limited(self, told: Mapping[str, str], target: httpx2.URL) -> RateLimited:
        """A budget that is spent is its account's alone; any other limit is the host's, which is left in peace."""
        until = self._comes_back(told)
        spent = told.get("x-ratelimit-remaining") == "0" and "retry-after" not in told
        if not spent:
            now = self._clock()
            until = min(max(until or now, now + _SHORTEST_REST), now + _LONGEST_REST)
            self._resting.put(target.netloc.decode(), until)
        return _rate_limited(target, until, spent=spent)

    def _check_rest(self, target: httpx2.URL) -> None:
        until = self._resting.get(target.netloc.decode())
        if until is not None and self._clock() < until:
            raise _rate_limited(target, until)

    def _comes_back(self, told: Mapping[str, str]) -> datetime | None:
        """When a rate limit ends, from the header that says so."""
        after, reset = told.get("retry-after", ""), told.get("x-ratelimit-reset", "")
        try:
            if after.isdecimal():
                return self._clock() + timedelta(seconds=min(int(after), 86400))
            if after:
                return parsedate_to_datetime(after).astimezone(UTC)
            return datetime.fromtimestamp(int(reset), UTC) if reset else None
        except (ValueError, OverflowError, OSError):
            return None

    async def _read(self, method: str, target: httpx2.URL, answer: httpcore2.Response) -> Fetched:
        told = _headers(answer)
        body = None
        digest = ""
        if answer.status == 200 and method == "GET":
            body, digest = await _body(answer, limit=self._limits.size, where=str(target))
        return Fetched(
            url=str(target),
            body=body,
            digest=digest,
            etag=told.get("etag", ""),
            modified=told.get("last-modified", ""),
            link=told.get("link", ""),
            headers=told,
        )


def _target(url: str) -> httpx2.URL:
    """A URL that may be fetched at all. Raises `Refused`."""
    try:
        target = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise Refused(url) from None
    if target.scheme not in ("http", "https") or not target.host or target.userinfo:
        raise Refused(f"{target.scheme}://{target.host}{target.path}")
    return target.copy_with(fragment=None)


def _there(target: httpx2.URL, location: str) -> httpx2.URL:
    """Where a redirect leads. Raises `Refused`, also for what is no address at all."""
    try:
        return _target(str(target.join(location)))
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise Refused(str(target)) from None


def _rate_limited(target: httpx2.URL, until: datetime | None, *, spent: bool = False) -> RateLimited:
    return RateLimited(
        "The source takes no more requests from this server for now.", until=until, spent=spent, where=str(target)
    )


def _headers(answer: httpcore2.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}


async def _body(answer: httpcore2.Response, *, limit: int, where: str) -> tuple[bytes, str]:
    """The unpacked body and its sha256. Raises `TooLarge` as soon as it is known."""
    told = _headers(answer)
    too_large = TooLarge(f"More than the {limit >> 20} MiB that this server shows.", where=where)
    length = told.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large
    unpack = _unpacker(told.get("content-encoding", ""), where)
    parts: list[bytes] = []
    digest, wire, size = hashlib.sha256(), 0, 0
    async for chunk in answer.aiter_stream():
        wire += len(chunk)
        part = unpack.feed(chunk, limit - size + 1)
        size += len(part)
        if wire > limit or size > limit:
            raise too_large
        digest.update(part)
        parts.append(part)
    if not unpack.complete:
        raise Unavailable("The source's answer broke off.", where=where)
    return b"".join(parts), digest.hexdigest()


class _Plain:
    complete = True

    def feed(self, chunk: bytes, room: int) -> bytes:
        return chunk


class _Gzip:
    """Unpacks one gzip or zlib stream, never more than there is room for."""

    def __init__(self, where: str) -> None:
        self._stream = zlib.decompressobj(wbits=47)
        self._where = where

    @property
    def complete(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes, room: int) -> bytes:
        try:
            return self._stream.decompress(chunk, room)
        except zlib.error:
            raise Unavailable("The source's compressed answer is damaged.", where=self._where) from None


def _unpacker(encoding: str, where: str) -> _Plain | _Gzip:
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Gzip(where)
    raise SourceError(f"The source packed its answer in a way not asked for: {encoding!r}.", where=where)
