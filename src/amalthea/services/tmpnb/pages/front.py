"""The list of what can be started, and the click."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.errors import AmaltheaError
from amalthea.services.tmpnb.pages.answers import UNCACHED, check_same_origin, page_error
from amalthea.services.tmpnb.pages.cookies import remember, remembered
from amalthea.services.tmpnb.pages.house import House
from amalthea.services.tmpnb.sessions.admission import Ticket
from amalthea.services.tmpnb.sessions.session import Session, Wish
from amalthea.web.application import PageError

FRONT_TEXT = "A notebook server of your own"
_AT_ONCE = 1.5
_ROBOTS = "User-agent: *\nDisallow: /user/\nDisallow: /spawn\nDisallow: /wait/\nDisallow: /api/\nDisallow: /v2/\n"


class Front:
    """The front page, deep links, and the form that both send."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> Sequence[BaseRoute]:
        """Everything that begins here."""
        link = self.deep_link
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/robots.txt", self.robots, methods=["GET"]),
            Route("/spawn", self.start, methods=["POST"]),
            *(
                Route(path, link, methods=["GET"])
                for path in ("/spawn", "/spawn/{path:path}", "/lab", "/lab/{path:path}", "/tree", "/tree/{path:path}")
            ),
            *(Route(f"/{kind}/{{path:path}}", link, methods=["GET"]) for kind in ("notebooks", "files", "v2")),
        ]

    async def front(self, request: Request) -> Response:
        """What can be started, and what this browser has."""
        house = self._house
        page = house.pages.html(
            "front.html",
            settings=house.settings,
            offers=house.wishes.offers,
            own=[(session, house.url(session)) for session in self._own(request)],
            free=house.admission.free,
            capacity=house.settings.capacity,
            waiting=len(house.admission.waiting),
            lite=house.lite_path,
            mark=FRONT_TEXT,
        )
        return HTMLResponse(page, headers=UNCACHED)

    async def robots(self, request: Request) -> Response:
        """Crawlers start nothing."""
        return PlainTextResponse(_ROBOTS)

    async def deep_link(self, request: Request) -> Response:
        """A page that starts it when a person looks at it: crawlers and prefetching browsers only read it."""
        house = self._house
        query = request.scope["query_string"]
        link = (request.scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")
        try:
            wish = house.wishes.of_link(link, network="")
        except AmaltheaError as error:
            raise page_error(error) from None
        for session in self._own(request):
            if session.wish.source == wish.source:
                return RedirectResponse(house.url(session, wish.open), 302, headers=UNCACHED)
        if house.overflowing:
            return RedirectResponse(house.elsewhere(wish.open, wish.repository), 302, headers=UNCACHED)
        return HTMLResponse(house.pages.html("loading.html", path=link, wish=wish), headers=UNCACHED)

    async def start(self, request: Request) -> Response:
        """The click: to the session, or to the queue where that takes longer."""
        check_same_origin(request)
        house = self._house
        async with request.form(max_fields=4, max_files=0) as form:
            offer, path = str(form.get("offer", "")), str(form.get("path", ""))[:4000]
        try:
            wish = self._wish(request, offer, path)
            ticket = house.admission.ask(wish, house.visitors.address(request.scope))
        except AmaltheaError as error:
            raise page_error(error) from None
        return await led(house, request, ticket)

    def _wish(self, request: Request, offer: str, path: str) -> Wish:
        network = self._house.visitors.network(request.scope)
        if path:
            return self._house.wishes.of_link(path, network=network)
        wish = self._house.wishes.of_offer(offer, network=network)
        if wish is None:
            raise PageError(400, "There is no such offer.", hint="Choose one on the front page.")
        return wish

    def _own(self, request: Request) -> list[Session]:
        """The sessions that this browser has and that live here, the newest first."""
        known = remembered(request)
        found = [self._house.sessions.get(name) for name in reversed(known)]
        return [session for session in found if session is not None and known[session.name] == session.token]


async def led(house: House, request: Request, ticket: Ticket, page: str = "") -> Response:
    """To the session, or to the queue where that takes longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_AT_ONCE if house.admission.soon(ticket) else 0):
            await ticket.over()
    if ticket.failure is not None:
        raise page_error(ticket.failure)
    if ticket.session is None:
        return RedirectResponse(house.places.front(f"/wait/{ticket.name}"), 303, headers=UNCACHED)
    return handed_over(house, request, ticket.session, page)


def handed_over(house: House, request: Request, session: Session, page: str = "") -> Response:
    """To the session, which the browser will know again."""
    answer = RedirectResponse(house.url(session, page), 303, headers=UNCACHED)
    remember(answer, request, session, seconds=house.remembered, secure=house.places.secure)
    return answer
