"""The queue, live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from amalthea.model.wire import builtins, encode
from amalthea.services.tmpnb.pages.answers import UNCACHED, page_error
from amalthea.services.tmpnb.pages.front import handed_over
from amalthea.services.tmpnb.pages.house import House
from amalthea.services.tmpnb.sessions.admission import Ticket
from amalthea.web.application import PageError

_EVENTS = {**UNCACHED, "x-accel-buffering": "no"}


class Waiting:
    """The page of a ticket, and the events that it shows."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> Sequence[BaseRoute]:
        """Everything about a ticket."""
        return [
            Route("/wait/{ticket}", self.page, methods=["GET"]),
            Route("/wait/{ticket}/events", self.events, methods=["GET"]),
            Route("/wait/{ticket}/standing", self.standing, methods=["GET"]),
        ]

    async def page(self, request: Request) -> Response:
        """Where one stands, and what else there is. Once it is one's turn, it leads to the session."""
        house, ticket = self._house, self._ticket(request)
        if ticket.failure is not None:
            raise page_error(ticket.failure)
        if ticket.session is not None:
            return handed_over(house, request, ticket.session)
        if house.lite is not None:
            house.lite.begin()
        standing = house.admission.standing(ticket)
        page = house.pages.html(
            "waiting.html",
            ticket=ticket.name,
            standing=standing,
            patience=house.settings.patience,
            late=standing.waited >= house.settings.patience,
            fallback=house.elsewhere(ticket.wish.open, ticket.wish.repository) if house.settings.fallback else "",
            lite=house.lite_path,
        )
        return HTMLResponse(page, headers=UNCACHED)

    async def events(self, request: Request) -> Response:
        """Server-sent events: where one stands, at each change, and that the connection lives."""
        return StreamingResponse(self._events(self._ticket(request)), media_type="text/event-stream", headers=_EVENTS)

    async def standing(self, request: Request) -> Response:
        """The same once, as JSON."""
        return JSONResponse(builtins(self._house.admission.standing(self._ticket(request))), headers=UNCACHED)

    async def _events(self, ticket: Ticket) -> AsyncIterator[bytes]:
        async for standing in self._house.admission.follow(ticket):
            yield f"data: {encode(standing)}\n\n".encode()

    def _ticket(self, request: Request) -> Ticket:
        ticket = self._house.admission.find(request.path_params["ticket"])
        if ticket is None:
            raise PageError(
                404, "Your place in the queue is gone: nobody was there for a while.", hint="Start again, please."
            )
        return ticket
