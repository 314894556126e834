"""Ask over HTTP whether a process is ready (`ready`) and whether a service works (`HttpProber`).

Each question opens a connection of its own: one kept open would show that a process holds on to old
visitors, not that it takes new ones. One time limit covers the whole exchange, so that an answer which
drips in byte by byte cannot hold a prober up, and bodies are asked for uncompressed and read up to a limit,
so that neither a huge nor a cunningly packed one can fill the memory.

What was wrong is said in words that may stand on a public page: no host names, no addresses, and nothing
out of the answer itself but numbers and well-formed site names.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

import httpx2

from amalthea import __version__
from amalthea.model.clock import Clock
from amalthea.model.edge import SITE_HEADER
from amalthea.model.probe import Observation, Probe, Watch
from amalthea.model.units import Duration

BODY_LIMIT = 512 * 1024
"""Bytes of a body that are read; `Probe.contains` has to stand within them."""

LINE_LIMIT = 200
"""Bytes of a body that `ready` reads, to quote its first line."""

_TROUBLE = (httpx2.HTTPError, httpx2.InvalidURL, ValueError, ExceptionGroup)
"""What an exchange may raise: the last two for headers that cannot be sent and ports that are none."""

_SITE_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


async def ready(*, address: str, port: int, path: str = "/-/readyz", timeout: float = 1.0) -> str:  # noqa: ASYNC109
    """Return "" when the process answers 200, else one short sentence: what was wrong.

    `timeout` is in seconds and covers the whole exchange. For operators: the sentence may quote the answer.
    """
    host = f"[{address}]" if ":" in address else address
    # Plain HTTP: an empty TLS context saves the 30 ms of loading certificates at each call.
    async with _client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
        try:
            async with asyncio.timeout(timeout), client.stream("GET", f"http://{host}:{port}{path}") as answer:
                if answer.status_code == 200:
                    return ""
                line = _first_line(await _read(answer, LINE_LIMIT))
                return f"answered {answer.status_code}{': ' if line else ''}{line}"
        except TimeoutError:
            return f"no answer within {Duration(timeout)}"
        except _TROUBLE as error:
            return _trouble(error)


class HttpProber:
    """Asks the probes of services. Use it as a context manager: it owns the client.

    `tls` replaces the usual certificate authorities, for a fleet that has its own.
    """

    def __init__(self, *, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        self._clock = clock
        self._client = _client(tls)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def ask(self, watch: Watch) -> Observation:
        """Ask once. Trouble of any kind is an observation that is not `ok`; nothing is raised."""
        at, started = self._clock(), time.perf_counter()
        detail = await self._answer(watch)
        return Observation(ok=not detail, at=at, seconds=time.perf_counter() - started, detail=detail)

    async def _answer(self, watch: Watch) -> str:
        """What was wrong, or ""."""
        limit = watch.probe.timeout
        try:
            async with asyncio.timeout(limit), self._open(watch) as answer:
                return _wrong_answer(watch, answer) or _wrong_body(watch.probe, await _read(answer, BODY_LIMIT))
        except TimeoutError:
            return f"no answer within {limit}"
        except _TROUBLE as error:
            return _trouble(error)

    def _open(self, watch: Watch) -> AbstractAsyncContextManager[httpx2.Response]:
        headers = httpx2.Headers(watch.headers)
        public_name = headers.get("host", "").partition(":")[0]
        # Over TLS the certificate has to be the public name's, wherever the connection goes.
        extensions = {"sni_hostname": public_name} if public_name else {}
        return self._client.stream("GET", watch.url, headers=headers, extensions=extensions)


def _client(tls: ssl.SSLContext | None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        headers={"user-agent": f"amalthea/{__version__} (probe)", "accept-encoding": "identity"},
        verify=tls or True,
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # every exchange stands below one asyncio.timeout
        limits=httpx2.Limits(max_keepalive_connections=0),
    )


async def _read(answer: httpx2.Response, limit: int) -> bytes:
    """The body as sent, up to `limit` bytes."""
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) >= limit:
            break
    return bytes(body[:limit])


def _wrong_answer(watch: Watch, answer: httpx2.Response) -> str:
    site = answer.headers.get(SITE_HEADER, watch.site)
    if site != watch.site:
        return f"answered by {site if _SITE_NAME.fullmatch(site) else 'another site'}"
    if answer.status_code != watch.probe.status:
        return f"answered {answer.status_code} instead of {watch.probe.status}"
    return ""


def _wrong_body(probe: Probe, body: bytes) -> str:
    return "" if probe.contains.encode() in body else "the page does not hold what it should"


def _trouble(error: Exception) -> str:
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ConnectionRefusedError):
            return "refused the connection"
        if isinstance(reason, ssl.SSLError):
            return "no secure connection: the certificate or the protocol is wrong"
        reason = reason.__cause__ or reason.__context__
    if isinstance(error, httpx2.ConnectError):
        return "no connection"
    if isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError):
        return "the connection broke off"
    return "the question could not be asked"


def _first_line(body: bytes) -> str:
    line = body.decode(errors="replace").strip().partition("\n")[0].strip()
    return "".join(c for c in line if c.isprintable())
