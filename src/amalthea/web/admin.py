"""The application that visitors cannot reach: `/-/healthz`, `/-/readyz`, `/-/metrics`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

Ready = Callable[[], Awaitable[str]]
"""Returns "" when the service can do its work, else what keeps it from it."""


def admin_application(ready: Ready, registry: CollectorRegistry, more: Sequence[BaseRoute] = ()) -> Starlette:
    """`healthz` says that the process runs, `readyz` that it can do its work; `more` is the service's own."""

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        problem = await ready()
        return PlainTextResponse(f"{problem or 'ok'}\n", status_code=503 if problem else 200)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/-/healthz", healthz), Route("/-/readyz", readyz), Route("/-/metrics", metrics), *more],
    )
