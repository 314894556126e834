"""The visitors' routes: the front page with its paste box, and every source's paths as pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.answers import (
    download,
    file_response,
    notebook_csp,
    packed,
    page_response,
    problem,
)
from amalthea.services.nbviewer.errors import SourceError, Superseded
from amalthea.services.nbviewer.render import NotANotebook
from amalthea.services.nbviewer.rendering import Press
from amalthea.services.nbviewer.rewriting import quoted, rewrite, rules
from amalthea.services.nbviewer.sample import Sample
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Answer, Asked, Document, Listing, Moved, Raw, Source, split
from amalthea.web.application import PageError
from amalthea.web.templates import Pages

FRONT_TEXT = "Enter the address of a notebook"
_PASTED_BYTES = 16_384
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_FRONT_AGE = "public, max-age=300"

ROBOTS = """\
User-agent: *
Crawl-delay: 10
Disallow: /*?flush_cache
Disallow: /*?download

User-agent: dotbot
Disallow: /

User-agent: AhrefsBot
Disallow: /
"""


class Viewing:
    """Answers visitors. `own_url` is this service's public address."""

    def __init__(
        self,
        settings: Settings,
        *,
        own_url: str,
        sources: Sequence[Source],
        sample: Sample,
        press: Press,
        pages: Pages,
        icon: str,
        clock: Clock,
    ) -> None:
        self._sources = sources
        self._sample = sample
        self._press = press
        self._pages = pages
        self._clock = clock
        self._icon = icon
        self._csp = notebook_csp(settings.github_raw_url)
        self._age = int(settings.fresh)
        self._rules = rules(github_url=settings.github_url, gist_url=settings.gist_url, own_url=own_url)
        self._front = packed(pages.html("front.html", settings=settings, lead=FRONT_TEXT))

    def routes(self) -> Sequence[BaseRoute]:
        """Every route; the first that fits wins."""
        fixed = [
            Route("/", self.front),
            Route("/index.html", self.front),
            Route("/create", self.create, methods=["GET", "POST"]),
            Route("/create/", self.create, methods=["GET", "POST"]),
            Route("/sample", self.sample),
            Route("/robots.txt", self.robots),
            Route("/favicon.ico", self.favicon),
        ]
        return [*fixed, *(self._route(path, source) for source in self._sources for path in source.paths)]

    async def front(self, request: Request) -> Response:
        """The paste box and the declared links."""
        return page_response(request, self._front, cache_control=_FRONT_AGE)

    async def create(self, request: Request) -> Response:
        """Send whoever pasted something to its page."""
        if request.method != "POST":  # said here, because a later route would take the path for a gist's id
            raise HTTPException(405, headers={"allow": "POST"})
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _PASTED_BYTES:
                raise PageError(413, "That is too long for the address of a notebook.")
        fields = parse_qs(body.decode(errors="replace"))
        path, mark, fragment = rewrite(fields.get("gistnorurl", [""])[0], self._rules).partition("#")
        return RedirectResponse(quoted(path) + mark + quoted(fragment), status_code=302)

    async def sample(self, request: Request) -> Response:
        """The notebook that shows, to people and to probes, that rendering works."""
        return await self._document(request, self._sample.document)

    async def robots(self, request: Request) -> Response:
        """What crawlers are asked."""
        return PlainTextResponse(ROBOTS, headers={"cache-control": _FRONT_AGE})

    async def favicon(self, request: Request) -> Response:
        """The icon, for those who ask for it by its old name."""
        return RedirectResponse(self._icon, status_code=302)

    def _route(self, path: str, source: Source) -> Route:
        async def view(request: Request) -> Response:
            try:
                return await self._view(request, source)
            except (SourceError, NotANotebook) as error:
                raise problem(error, now=self._clock()) from error

        return Route(path, view)

    async def _view(self, request: Request, source: Source) -> Response:
        asked = _asked(request)
        try:
            return await self._answer(request, asked, await source.resolve(asked))
        except Superseded:
            return await self._answer(request, asked, await source.resolve(asked))

    async def _answer(self, request: Request, asked: Asked, answer: Answer) -> Response:
        match answer:
            case Document():
                return await self._document(request, answer, flushed=asked.flush)
            case Listing():
                page = packed(self._pages.html("listing.html", listing=answer, chrome=answer.chrome))
                return page_response(request, page, cache_control=self._cache_control(answer, asked.flush))
            case Moved(location):
                return RedirectResponse(location, status_code=302)
            case Raw():
                return file_response(answer)

    async def _document(self, request: Request, document: Document, *, flushed: bool = False) -> Response:
        page = await self._press.page(document)
        if "download" in request.query_params:
            return download(await document.read(), document.chrome.name)
        return page_response(request, page, cache_control=self._cache_control(document, flushed), csp=self._csp)

    def _cache_control(self, answer: Document | Listing, flushed: bool) -> str:
        if flushed:
            return "no-cache"
        return f"public, max-age={min(10, self._age) if answer.chrome.stale else self._age}"


def _asked(request: Request) -> Asked:
    raw = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    page = request.query_params.get("page", "")
    referer = urlsplit(request.headers.get("referer", ""))
    own = referer.netloc == request.headers.get("host", "")
    return Asked(
        parts=split(raw),
        raw=raw,
        query=f"?{query}" if query else "",
        slash=raw.endswith("/"),
        flush=request.query_params.get("flush_cache", "false").lower() not in ("", "0", "false"),
        page=int(page) if _PAGE_NUMBER.fullmatch(page) else 1,
        referer=referer.path if own else "",
    )
