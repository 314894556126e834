"""Serve a built site below a path: `Mount("/lite", lite_app(site))`.

Only what the manifest lists is ever opened, so no path leads out of the site. Names that hold a hash may be kept for
ever; everything else is asked for again, and mostly answered with 304.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from amalthea.services.tmpnb.lite.held import Held
from amalthea.services.tmpnb.lite.site import START, File, Site
from amalthea.web.encodings import Encoding, accepted
from amalthea.web.static_files import FOREVER

_MEMORY = 32 * 2**20
_PIECE = 64 * 2**10
_HASHED = re.compile(r"(?:build|extensions)/.*\.[0-9a-f]{7,40}\.\w+|static/pyodide-[0-9a-f]{12}/.*")
_INDEX = "index.html"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".ipynb": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".whl": "application/zip",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}


def policy(site: Site) -> str:
    """The content security policy of everything in a site.

    Settings are checked, and cells of JavaScript run, by `eval`, and Python by WebAssembly. Scripts in pages are
    those that were built. Nothing is loaded from, or sent to, anybody else.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob: 'unsafe-eval' 'wasm-unsafe-eval' {' '.join(site.manifest.scripts)}",
            "style-src 'self' 'unsafe-inline'",
            "worker-src 'self' blob:",
            "connect-src 'self' data: blob:",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "frame-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
            "object-src 'none'",
        )
    )


def lite_app(site: Site) -> ASGIApp:
    """The application that serves a site, whatever path it is mounted at; a missing file is an `HTTPException`."""
    return _LiteFiles(site)


class _LiteFiles:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.held = Held(_MEMORY)
        self.headers = {
            "content-security-policy": policy(site),
            # No cross-origin isolation: the kernel's way of talking over shared memory, which it takes where it can,
            # loses answers. Over messages and the service worker it has files and input, too.
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        await (await self._answer(Request(scope)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        name = _below(request.scope)
        if not name:
            return RedirectResponse(START, 307)
        if name.endswith("/"):
            name += _INDEX
        file = self.site.manifest.files.get(name)
        if file is not None:
            return await self._file(request, name, file)
        if f"{name}/{_INDEX}" in self.site.manifest.files:
            return RedirectResponse(_with_slash(request), 307)
        raise HTTPException(404)

    async def _file(self, request: Request, name: str, file: File) -> Response:
        kept = FOREVER if _HASHED.fullmatch(name) else "no-cache"
        etag = f'W/"{file.sha256[:32]}"'
        headers = {**self.headers, "cache-control": kept, "etag": etag, "vary": "accept-encoding"}
        headers["content-type"] = _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        if _is_known(request, etag):
            return Response(status_code=304, headers=headers)
        encoding = _form(request, file)
        if encoding != "identity":
            headers["content-encoding"] = encoding
        headers["content-length"] = str(_size(file, encoding))
        if request.method == "HEAD":
            return Response(headers=headers)
        path = self.site.tree / ("plain" if encoding == "identity" else encoding) / name
        body = self.held.get(path)
        if body is None:
            body = await asyncio.to_thread(self.held.read, path)
        return StreamingResponse(_pieces(body), headers=headers)


def _form(request: Request, file: File) -> Encoding:
    """The smallest form that there is and that the browser takes."""
    wanted = accepted(request.headers.get("accept-encoding", ""))
    return wanted if wanted == "identity" or _size(file, wanted) else "identity"


def _size(file: File, encoding: Encoding) -> int:
    return {"br": file.br, "gzip": file.gzip, "identity": file.size}[encoding]


def _is_known(request: Request, etag: str) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return "*" in known or etag.removeprefix("W/") in known


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """So that a slow visitor costs one piece of memory, not another copy of ten megabytes."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def _below(scope: Scope) -> str:
    """The path below the one that the application is mounted at."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "").rstrip("/")).removeprefix("/")


def _with_slash(request: Request) -> str:
    """The same path as a directory, for whatever host and prefix the visitor knows it by."""
    query = request.url.query
    return f"{request.url.path.rpartition('/')[2]}/" + (f"?{query}" if query else "")
