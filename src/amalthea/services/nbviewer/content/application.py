"""The content origin: what strangers wrote, on a host where there is nothing else to reach.

    /frame/<digest>   the document of one output that runs scripts, under the hash of its bytes
    /lib/<name>       the libraries such documents load
    /raw/<path>       a file of a repository, a gist or this machine, under its path on nbviewer

No page of nbviewer is here and none of this is there: the Host header decides, in front of both. A frame's policy
puts it into a sandbox without an origin, so that it is as harmless when somebody opens it by itself.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.content.origins import Origins
from amalthea.services.nbviewer.content.raw_files import RawAddresses, media_type
from amalthea.services.nbviewer.errors import SourceError
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.pages.answers import download, problem
from amalthea.services.nbviewer.pages.finding import Finder
from amalthea.services.nbviewer.press.press import Press
from amalthea.services.nbviewer.render.active.libraries import libraries
from amalthea.services.nbviewer.render.active.policy import frame_csp
from amalthea.services.nbviewer.source import Answer, Asked, Document, Moved, Raw, is_notebook, split
from amalthea.web.static_files import FOREVER

ROBOTS = "User-agent: *\nDisallow: /\n"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLOSED = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'"
_FILE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_SAFE = {
    "content-security-policy": _CLOSED,
    "cross-origin-opener-policy": "unsafe-none",  # the other values and a sandbox exclude each other
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
_LIBRARY_BYTES = 16 * 2**20
_GONE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not here any more</title><style>
:root{color-scheme:light dark}body{margin:0;padding:.5rem 1rem;font:1rem/1.5 system-ui,sans-serif}
</style></head><body><p>This output is not here any more. Reload the notebook's page to see it again.</p></body></html>
"""


class Content:
    """Answers on the content origin. `hosts` are where people's own scripts may load from."""

    def __init__(
        self,
        origins: Origins,
        *,
        press: Press,
        hosts: Sequence[str],
        finder: Finder,
        raw: RawAddresses,
        clock: Clock,
    ) -> None:
        self._finder = finder
        self._raw = raw
        self._clock = clock
        self._press = press
        self._policy = frame_csp(origins.content, hosts, ancestors=origins.frameable)
        self._libraries = {library.served: library for library in libraries().values()}
        self._read: Memory[bytes] = Memory(_LIBRARY_BYTES, len)

    def application(self) -> Starlette:
        """All of it, under the one name."""
        application = Starlette(
            routes=[
                Route("/frame/{digest}", self.frame),
                Route("/lib/{name}", self.library),
                Route("/raw/{path:path}", self.raw),
                Route("/robots.txt", self.robots),
            ],
            exception_handlers={HTTPException: _problem, Exception: _fault},
        )
        application.router.redirect_slashes = False
        return application

    async def frame(self, request: Request) -> Response:
        """The document of one output."""
        digest = request.path_params["digest"]
        packed = await self._press.frame(digest) if _DIGEST.fullmatch(digest) else None
        if packed is None:
            headers = {**_SAFE, "content-security-policy": f"{_CLOSED}; style-src 'unsafe-inline'"}
            return Response(_GONE, 404, {**headers, "cache-control": "no-store"}, "text/html")
        headers = {**_SAFE, "content-security-policy": self._policy, "cache-control": FOREVER}
        return _zipped(request, packed, "text/html", headers)

    async def library(self, request: Request) -> Response:
        """One file of a library; a frame has no origin, so it has to be everybody's."""
        found = self._libraries.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        body = self._read.get(found.served)
        if body is None:
            body = await asyncio.to_thread(found.body)
            self._read.put(found.served, body)
        headers = {**_SAFE, "access-control-allow-origin": "*", "cache-control": FOREVER}
        if found.encoding == "gzip":
            return _zipped(request, body, found.media_type, headers)
        return Response(body, media_type=found.media_type, headers=headers)

    async def raw(self, request: Request) -> Response:
        """A file, under the path that it has on nbviewer."""
        path = request.scope["raw_path"].decode("latin-1").removeprefix("/raw")
        if not self._raw.opens(path, request.query_params.get("key", "")):
            raise HTTPException(403, "This address was not given to you by nbviewer. Open the file from there.")
        try:
            answer = await self._finder.find(Asked(parts=split(path), raw=path, slash=path.endswith("/")))
            return await self._file(answer)
        except SourceError as error:
            raise problem(error, now=self._clock()) from error

    async def _file(self, answer: Answer) -> Response:
        headers = {**_SAFE, "cache-control": "private, max-age=60" if self._raw.private else "public, max-age=60"}
        match answer:
            case Raw(name=name, read=read) if kind := media_type(name):
                return Response(await read(), media_type=kind, headers={**headers, "content-security-policy": _FILE})
            case Document(chrome=chrome, read=read) if is_notebook(chrome.name):
                kept = download(await read(), chrome.name)
                kept.headers.update(headers)
                return kept
            case Moved(location) if not location.startswith("/"):
                return RedirectResponse(location, 302, headers)
        raise HTTPException(404)

    async def robots(self, request: Request) -> Response:
        """Nothing here is worth a crawler's time."""
        return PlainTextResponse(ROBOTS, headers=_SAFE)


def _zipped(request: Request, packed: bytes, media_type: str, headers: dict[str, str]) -> Response:
    headers = {**headers, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type=media_type, headers=headers)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {**_SAFE, **(error.headers or {}), "cache-control": "no-store"}
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers)


async def _fault(request: Request, error: Exception) -> Response:
    return await _problem(request, HTTPException(500, "Something on this server went wrong. It has been logged."))
