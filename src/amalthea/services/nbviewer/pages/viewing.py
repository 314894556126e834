"""The sources' paths as pages: a notebook in every format, a listing, a redirect, a file.

`/format/<format>/` may stand before every path; what is under it is found as without it, and redirects keep it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.content.raw_files import RawAddresses, media_type
from amalthea.services.nbviewer.errors import SourceError, Superseded
from amalthea.services.nbviewer.pages.answers import (
    cache_control,
    download,
    file_response,
    packed,
    page_response,
    problem,
    unpacked,
)
from amalthea.services.nbviewer.pages.basing import ROOT, based
from amalthea.services.nbviewer.pages.finding import Finder, resolved
from amalthea.services.nbviewer.pages.launching import Launching
from amalthea.services.nbviewer.press.press import Press
from amalthea.services.nbviewer.press.shelf import Page
from amalthea.services.nbviewer.press.work import Kind
from amalthea.services.nbviewer.render import NotANotebook
from amalthea.services.nbviewer.source import Answer, Asked, Document, Listing, Moved, Raw, Source, split
from amalthea.web.templates import Pages

_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_FORMAT = re.compile(r"/format/(html|slides|script)(?=/)")


class Viewing:
    """Answers visitors with what sources have. `csp` is the policy of a notebook's page."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        press: Press,
        pages: Pages,
        launching: Launching,
        csp: str,
        age: int,
        clock: Clock,
        base: str = ROOT,
        raw: RawAddresses | None = None,
    ) -> None:
        self._sources = [(path, source) for source in sources for path in source.paths]
        self._finder = Finder(sources)
        self._press = press
        self._pages = pages
        self._launching = launching
        self._csp = csp
        self._age = age
        self._clock = clock
        self._base = base
        self._raw = raw

    def routes(self) -> Sequence[BaseRoute]:
        """Every route; the first that fits wins."""
        return [
            Route("/format/{format}/{rest:path}", self._in_format),
            *(self._route(path, source) for path, source in self._sources),
        ]

    async def document(self, request: Request, document: Document, *, asked: Asked | None = None) -> Response:
        """The page of a notebook, or the file itself where that is asked for. Raises what `Press.page` does."""
        asked = asked or asked_for(request, self._base)
        kind = kind_of(request)
        document = self.placed(document, asked)
        page = await self._press.page(document, kind=kind, line_numbers=_is_on(request, "line_numbers"))
        if "source" in request.query_params:
            return file_response(await document.read(), "text/plain")
        if "download" in request.query_params and kind is not Kind.SCRIPT:
            return download(await document.read(), document.chrome.name)
        if "download" in request.query_params:
            return _program(page, document.chrome.name)
        return page_response(request, page, cache_control=self.cache_control(document, asked.flush), csp=self._csp)

    async def find(self, asked: Asked) -> Answer:
        """What stands under a path, in whichever source has it. Raises `SourceError`."""
        return await self._finder.find(asked)

    def placed(self, document: Document, asked: Asked) -> Document:
        """The same with what only this server knows: its path here, and what can run it."""
        chrome = document.chrome
        path = "/" + asked.raw.lstrip("/")
        chrome = msgspec.structs.replace(chrome, path=path, launch=self._launching.buttons(chrome.place))
        bases = {name: based(self._base, getattr(document, name)) for name in ("raw_base", "link_base")}
        return msgspec.structs.replace(document, chrome=chrome, **bases)

    def cache_control(self, answer: Document | Listing, flushed: bool) -> str:
        """How long whoever gets this may keep it."""
        return "no-cache" if flushed else cache_control(answer.chrome, fresh=self._age, now=self._clock())

    def _route(self, path: str, source: Source) -> Route:
        async def view(request: Request) -> Response:
            return await self._view(request, source)

        return Route(path, view)

    async def _in_format(self, request: Request) -> Response:
        if _FORMAT.match(_raw(request)) is None:
            raise HTTPException(404)
        return await self._view(request)

    async def _view(self, request: Request, source: Source | None = None) -> Response:
        try:
            asked = asked_for(request, self._base)
            try:
                return await self._shown(request, asked, source)
            except Superseded:  # while it was being read
                return await self._shown(request, asked, source)
        except (SourceError, NotANotebook) as error:
            raise problem(error, now=self._clock()) from error

    async def _shown(self, request: Request, asked: Asked, source: Source | None) -> Response:
        answer = await (self.find(asked) if source is None else resolved(source, asked))
        return await self._answer(request, asked, answer)

    async def _answer(self, request: Request, asked: Asked, answer: Answer) -> Response:
        prefix = _prefix(request)
        match answer:
            case Document():
                return await self.document(request, answer, asked=asked)
            case Listing():
                listing = _with_prefix(answer, prefix) if prefix else answer
                page = packed(self._pages.html("listing.html", listing=listing, chrome=listing.chrome))
                return page_response(request, page, cache_control=self.cache_control(answer, asked.flush))
            case Moved(location):
                return RedirectResponse(based(self._base, _prefixed(location, prefix)), status_code=302)
            case Raw():
                return await self._file(asked, answer)

    async def _file(self, asked: Asked, file: Raw) -> Response:
        """A file of a stranger: on the content origin, or here, in a sandbox, where there is no such place."""
        if self._raw is not None:
            headers = {"cache-control": "public, max-age=60"}
            return RedirectResponse(self._raw.url(asked.raw), status_code=302, headers=headers)
        return file_response(await file.read(), media_type(file.name) or "application/octet-stream")


def asked_for(request: Request, base: str = ROOT) -> Asked:
    """A request as sources see it: without the format, and without the base where that is left. Raises `Missing`."""
    raw = _raw(request)
    raw = raw[len(_prefix(request)) :]
    query = request.scope["query_string"].decode("latin-1")
    page = request.query_params.get("page", "")
    return Asked(
        parts=split(raw),
        raw=raw,
        query=f"?{query}" if query else "",
        slash=raw.endswith("/"),
        flush=_is_on(request, "flush_cache"),
        page=int(page) if _PAGE_NUMBER.fullmatch(page) else 1,
        referer=_referer(request, base),
    )


def _referer(request: Request, base: str) -> str:
    """The path of the page of ours that the visitor comes from; empty where it is none."""
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # such as "http://["
        return ""
    own = referer.netloc != "" and referer.netloc == request.headers.get("host", "")
    return _FORMAT.sub("", referer.path.removeprefix(base.rstrip("/"))) if own else ""


def kind_of(request: Request) -> Kind:
    """The format that the path asks for."""
    found = _FORMAT.match(_raw(request))
    return Kind(found[1]) if found else Kind.HTML


def _raw(request: Request) -> str:
    raw: bytes = request.scope["raw_path"]
    return raw.decode("latin-1")


def _prefix(request: Request) -> str:
    found = _FORMAT.match(_raw(request))
    return found[0] if found else ""


def _is_on(request: Request, name: str) -> bool:
    return request.query_params.get(name, "false").lower() not in ("", "0", "false")


def _prefixed(location: str, prefix: str) -> str:
    own = location.startswith("/") and not location.startswith("//")
    return prefix + location if own else location


def _with_prefix(listing: Listing, prefix: str) -> Listing:
    """The listing whose links lead on in the same format."""
    replace = msgspec.structs.replace
    chrome = listing.chrome
    crumbs = tuple(replace(crumb, href=_prefixed(crumb.href, prefix)) for crumb in chrome.crumbs)
    return replace(
        listing,
        chrome=replace(chrome, crumbs=crumbs),
        entries=tuple(replace(entry, href=_prefixed(entry.href, prefix)) for entry in listing.entries),
        refs=tuple(replace(ref, href=_prefixed(ref.href, prefix)) for ref in listing.refs),
    )


def _program(page: Page, name: str) -> Response:
    """A script as a file to keep, under the notebook's name."""
    stem = PurePosixPath(name).stem if name.lower().endswith(".ipynb") else name
    return download(unpacked(page), stem + page.extension, media_type=page.media_type)
