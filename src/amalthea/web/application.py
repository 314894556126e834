"""The frame of every public application: static files, error pages, security headers, request metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amalthea.model.edge import SITE_HEADER
from amalthea.web.based import Based
from amalthea.web.hosts import Hosts
from amalthea.web.metrics import RequestMetrics
from amalthea.web.static_files import FOREVER, PREFIX, StaticFiles
from amalthea.web.templates import Pages

STRICT_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


class PageError(HTTPException):
    """An error that becomes a page: what is wrong, where, and what to do next."""

    def __init__(
        self, status: int, message: str, *, where: str = "", hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.where = where
        self.hint = hint


class SafeHeaders:
    """Adds the headers that every answer carries, unless the application set its own."""

    def __init__(self, app: ASGIApp, site: str, csp: str) -> None:
        self.app = app
        self.headers = {
            SITE_HEADER: site,
            "content-security-policy": csp,
            "x-content-type-options": "nosniff",
            "referrer-policy": "strict-origin-when-cross-origin",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add to the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, add)


def static_file(static: StaticFiles, request: Request) -> Response:
    """The answer to `GET /static/{name}`."""
    name = request.path_params["name"]
    asset = static.asset(name)
    if asset is None:
        raise HTTPException(404)
    headers = {"cache-control": FOREVER, "vary": "accept-encoding"}
    gzipped = static.gzipped(name) if "gzip" in request.headers.get("accept-encoding", "") else None
    if gzipped is None:
        return Response(asset.body, media_type=asset.media_type, headers=headers)
    return Response(gzipped, media_type=asset.media_type, headers={**headers, "content-encoding": "gzip"})


def application(
    routes: Sequence[BaseRoute],
    *,
    site: str,
    pages: Pages,
    static: StaticFiles,
    registry: CollectorRegistry,
    csp: str = STRICT_CSP,
    base: str = "/",
    others: Mapping[str, ASGIApp] | None = None,
) -> ASGIApp:
    """A service's public application. An `HTTPException` or `PageError` becomes a page; so does a bug.

    `base` is the path that all of it lies below; `others` are applications of their own under other public names,
    as `Hosts` takes them.
    """

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        page = pages.html(
            "error.html",
            status=status,
            title=status.phrase,
            message=error.detail if error.detail != status.phrase else status.description or status.phrase,
            where=getattr(error, "where", ""),
            hint=getattr(error, "hint", ""),
        )
        return HTMLResponse(page, status_code=status, headers={"cache-control": "no-store", **(error.headers or {})})

    async def fault(request: Request, error: Exception) -> Response:
        # The server logs it; here it only becomes a page.
        return await problem(request, PageError(500, "Something on this server went wrong. It has been logged."))

    async def file(request: Request) -> Response:
        return static_file(static, request)

    inner: ASGIApp = Starlette(
        routes=[Route(PREFIX + "{name}", file, methods=["GET"]), *routes],
        exception_handlers={HTTPException: problem, Exception: fault},
    )
    # Around all of it, and not as its middleware: a page about a bug needs them too.
    return SafeHeaders(RequestMetrics(Hosts(_below(inner, base), others or {}), registry), site, csp)


def _below(app: ASGIApp, base: str) -> ASGIApp:
    return app if base == "/" else Based(app, base)
