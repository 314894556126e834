"""The pages that are this server's own: the front page with its paste box, the FAQ, what crawlers are asked."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.services.nbviewer.pages.answers import packed, page_response
from amalthea.services.nbviewer.pages.basing import based
from amalthea.services.nbviewer.pages.frontpage import FRONT_TEXT, Front
from amalthea.services.nbviewer.pages.prose import prose
from amalthea.services.nbviewer.paste.elsewhere import Rule
from amalthea.services.nbviewer.paste.rewriting import quoted, rewrite
from amalthea.services.nbviewer.settings import Settings
from amalthea.web.application import PageError
from amalthea.web.templates import Pages

_PASTED_BYTES = 16_384
_AGE = "public, max-age=300"

ROBOTS = """\
User-agent: *
Crawl-delay: 10
Disallow: {base}*?flush_cache
Disallow: {base}*?download
Disallow: {base}*?source
Disallow: {base}diff

User-agent: dotbot
Disallow: {base}

User-agent: AhrefsBot
Disallow: {base}
"""


class Fronting:
    """Answers visitors who have not said yet what they want to see. `rules` are those of the paste box."""

    def __init__(
        self, settings: Settings, front: Front, *, rules: Sequence[Rule], pages: Pages, csp: str, icon: str, base: str
    ) -> None:
        self._rules = rules
        self._icon = icon
        self._base = base
        self._robots = ROBOTS.format(base=base)
        self._csp = csp
        self._front = packed(pages.html("front.html", settings=settings, front=front, lead=FRONT_TEXT))
        answers = prose(pages.html("faq.md", settings=settings))
        self._faq = packed(pages.html("faq.html", answers=answers))

    def routes(self) -> Sequence[BaseRoute]:
        """Every route of these pages."""
        return [
            Route("/", self.front),
            Route("/index.html", self.front),
            Route("/faq", self.faq),
            Route("/faq/", self.faq),
            Route("/create", self.create, methods=["GET", "POST"]),
            Route("/create/", self.create, methods=["GET", "POST"]),
            Route("/robots.txt", self.robots),
            Route("/favicon.ico", self.favicon),
        ]

    async def front(self, request: Request) -> Response:
        """The paste box and the declared links."""
        return page_response(request, self._front, cache_control=_AGE, csp=self._csp)

    async def faq(self, request: Request) -> Response:
        """What people ask."""
        return page_response(request, self._faq, cache_control=_AGE, csp=self._csp)

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
        return RedirectResponse(based(self._base, quoted(path)) + mark + quoted(fragment), status_code=302)

    async def robots(self, request: Request) -> Response:
        """What crawlers are asked."""
        return PlainTextResponse(self._robots, headers={"cache-control": _AGE})

    async def favicon(self, request: Request) -> Response:
        """The icon, for those who ask for it by its old name."""
        return RedirectResponse(self._icon, status_code=302)
