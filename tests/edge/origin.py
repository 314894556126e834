"""A small real service for the edge's tests: `python -m tests.edge.origin PORT SITE`.

`/slow` takes a second, `/status/N` answers N, `/echo` is a WebSocket, `/hits` counts what came, `/length` how long a
body is; anything else says which site answered. What ends in `/slow`, `/echo` or `/length` is as they are. `/-/readyz`
is on the same port, and takes a moment, as where it does some work.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

PAUSES = {"slow": 1.0, "readyz": 0.05}


def origin(site: str) -> Starlette:
    """The application of one copy."""
    hits: Counter[str] = Counter()

    async def anything(request: Request) -> Response:
        hits[f"{request.method} {request.url.path}"] += 1
        await asyncio.sleep(PAUSES.get(request.url.path.rpartition("/")[2], 0))
        return PlainTextResponse(site, headers={"x-amalthea-site": site})

    async def status(request: Request) -> Response:
        hits[request.url.path] += 1
        return PlainTextResponse(site, status_code=int(request.path_params["code"]))

    async def headers(request: Request) -> Response:
        return JSONResponse(dict(request.headers))

    async def length(request: Request) -> Response:
        return JSONResponse([site, sum([len(chunk) async for chunk in request.stream()])])

    async def count(request: Request) -> Response:
        return JSONResponse(hits)

    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(f"{site}: {text}")

    return Starlette(
        routes=[
            Route("/status/{code}", status),
            Route("/headers", headers),
            Route("/hits", count),
            Route("/{path:path}/length", length, methods=["POST"]),
            WebSocketRoute("/echo", echo),
            WebSocketRoute("/{path:path}/echo", echo),
            Route("/{path:path}", anything, methods=["GET", "POST"]),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(origin(sys.argv[2]), port=int(sys.argv[1]), log_level="error", ws="websockets-sansio")
