"""What visitors get: the page, the same as JSON, and a word to robots.

The page is one file: its style is inside (allowed by its hash) and its pictures are drawn in it. So one
request shows it whole, a saved copy stays whole, and it does not matter whether the next request is answered
by a site that runs another version. It is made four times a second at most, whatever the number of readers.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from amalthea.model.clock import Clock
from amalthea.model.wire import encode
from amalthea.services.status import words
from amalthea.services.status.board import Board, Cell, Row, Sighting
from amalthea.web.application import STRICT_CSP, application
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages

RELOAD_SECONDS = 30
PER_SECOND = 4
"""How often the page is made anew."""

MARK = 'content="amalthea status"'
"""Stands in every page, whatever its title and state: what a probe looks for."""

NO_STORE = {"cache-control": "no-store"}
ANY_ORIGIN = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_ROBOTS = "User-agent: *\nDisallow: /api/\n"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page is made from. `notes` are sentences about the page itself."""

    board: Board
    notes: tuple[str, ...] = ()


class Face:
    """The public application. `look` gives what is to be shown now; what is made of it is kept for a moment."""

    def __init__(
        self, look: Callable[[], View], *, title: str, site: str, clock: Clock, registry: CollectorRegistry
    ) -> None:
        self._look = look
        self._clock = clock
        self._site = site
        self._registry = registry
        self._static = StaticFiles("amalthea.web")
        self._style = _style()
        self._pages = Pages(
            self._static,
            "amalthea.services.status",
            page_title=title,
            style=self._style,
            mark=MARK,
            reload_seconds=RELOAD_SECONDS,
            words=words,
        )
        self._made: dict[str, str] = {}
        self._moment = 0

    def application(self) -> ASGIApp:
        """Answers `/`, `/api/board.json` and `/robots.txt`, compressed where the visitor's program can."""
        routes = [Route("/", self._page), Route("/api/board.json", self._json), Route("/robots.txt", _robots)]
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        app = application(
            routes,
            site=self._site,
            pages=self._pages,
            static=self._static,
            registry=self._registry,
            csp=STRICT_CSP.replace("style-src 'self'", f"style-src 'self' 'sha256-{digest}'"),
        )
        return GZipMiddleware(app, minimum_size=500)

    async def _page(self, request: Request) -> Response:
        """The page; with `?still` it does not reload itself."""
        still = "still" in request.query_params
        text = self._lately("still" if still else "page", lambda view: self._html(view, still=still))
        return Response(text, media_type="text/html", headers=NO_STORE)

    async def _json(self, request: Request) -> Response:
        text = self._lately("json", lambda view: encode(document(view)))
        return Response(text, media_type="application/json", headers={**NO_STORE, **ANY_ORIGIN})

    def _html(self, view: View, *, still: bool) -> str:
        return self._pages.html("status.html", view=view, still=still)

    def _lately(self, form: str, make: Callable[[View], str]) -> str:
        """What was made a moment ago, or else is made now."""
        moment = int(self._clock().timestamp() * PER_SECOND)
        if moment != self._moment:
            self._made, self._moment = {}, moment
        if form not in self._made:
            self._made[form] = make(self._look())
        return self._made[form]


async def _robots(request: Request) -> Response:
    return PlainTextResponse(_ROBOTS)


def document(view: View) -> dict[str, Any]:
    """The board for programs. Ages and spans are in seconds, times in UTC; null is "never"."""
    board = view.board
    return {
        "at": board.at,
        "from": board.site,
        "standing": board.standing,
        "text": words.headline(board),
        "age": board.age,
        "notes": view.notes,
        "services": [_row(row) for row in board.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "service": row.service,
        "standing": row.standing,
        "text": f"{row.service} {words.sentence(row)}",
        "sites": [_cell(cell) for cell in row.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "site": cell.site,
        "state": cell.state,
        "since": cell.since,
        "disputed": cell.disputed,
        "age": cell.age,
        "seen": [_sighting(sighting) for sighting in cell.sightings],
    }


def _sighting(sighting: Sighting) -> dict[str, Any]:
    return {
        "from": sighting.vantage,
        "state": sighting.state,
        "at": sighting.at,
        "age": sighting.age,
        "seconds": sighting.seconds,
        "since": sighting.since,
        "settled": sighting.settled,
        "detail": sighting.detail,
    }


def _style() -> str:
    """The style that all services share, and the page's own, as one text."""
    shared = files("amalthea.web").joinpath("static/amalthea.css").read_text()
    own = files("amalthea.services.status").joinpath("templates/status.css").read_text()
    return shared + own
