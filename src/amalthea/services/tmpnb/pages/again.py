"""A session that is over: what happened, my work, and the same again with its files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.errors import AmaltheaError
from amalthea.services.tmpnb.pages.answers import UNCACHED, check_same_origin, page_error
from amalthea.services.tmpnb.pages.cookies import shown
from amalthea.services.tmpnb.pages.front import led
from amalthea.services.tmpnb.pages.house import House
from amalthea.services.tmpnb.pages.wishes import passed
from amalthea.services.tmpnb.sessions.admission import Ticket
from amalthea.services.tmpnb.sessions.keeping import OPEN, TOKEN, digest
from amalthea.services.tmpnb.sessions.session import NAME, Wish
from amalthea.services.tmpnb.work.snapshot import Snapshot
from amalthea.web.application import PageError

_LATER = {**UNCACHED, "retry-after": "30"}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session that does not run here: its last snapshot, and the token that opened it."""

    snapshot: Snapshot
    token: str

    @property
    def page(self) -> str:
        """What was seen first in it."""
        return passed(self.snapshot.facts.get(OPEN, "")) or "lab"


class Again:
    """What there is instead of a session that is not here. `opening` are those that are on their way, by old names."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.opening: dict[str, Ticket] = {}
        self._following = set[asyncio.Task[None]]()

    def routes(self) -> Sequence[BaseRoute]:
        """The form that opens it again."""
        return [Route("/user/{name}/-/again", self.open, methods=["POST"])]

    async def instead(self, request: Request, page: str) -> Response:
        """The answer to a request for a session that does not run here; `page` is the path below it."""
        name = request.path_params["name"]
        if moved := await self._house.moves.follow(name):
            return self._to(moved, passed(page), request.url.query, 307)
        if not _is_visit(request):
            # Not 404: to that JupyterLab's file browser answers by asking again at once, for ever.
            return JSONResponse({"message": "This session has ended.", "reason": None}, 503, headers=_LATER)
        try:
            kept = await self._kept(request)
        except AmaltheaError as error:
            raise page_error(error) from None
        return HTMLResponse(self._page(name, page, kept), 200 if kept else 404, headers=UNCACHED)

    def _page(self, name: str, page: str, kept: Kept | None) -> str:
        house = self._house
        ended = house.sessions.ended(name)
        home = name.partition("-")[2] if NAME.fullmatch(name) else house.site
        lost = kept is not None and (ended is None or ended.why.startswith("This site"))
        return house.pages.html(
            "ended.html",
            name=name,
            page=page,
            ended=ended,
            elsewhere=home if home != house.site else "",
            site=house.site,
            kept=kept,
            lost=lost,
            keep=house.settings.keep,
            files=len(kept.snapshot.files) if kept else 0,
            token=kept.token if kept else "",
        )

    async def open(self, request: Request) -> Response:
        """Start a session with the files, and lead there, or to the queue; two who ask at once get one session."""
        check_same_origin(request)
        name = request.path_params["name"]
        async with request.form(max_fields=4, max_files=0) as form:
            page, token = passed(str(form.get("page", ""))[:2000]), str(form.get("token", ""))[:200]
        try:
            kept = await self._kept(request, token)
            if kept is None:
                raise PageError(404, "Nothing was kept of this session, or it is somebody else's.")
            if moved := await self._house.moves.follow(name):
                return self._to(moved, page or kept.page, f"token={kept.token}", 303)
            ticket = self._ticket(request, name, kept, page)
        except AmaltheaError as error:
            raise page_error(error) from None
        return await led(self._house, request, ticket, page)

    def _ticket(self, request: Request, name: str, kept: Kept, page: str) -> Ticket:
        ticket = self.opening.get(name)
        if ticket is None:
            house = self._house
            known = {table.name for table in house.settings.environments}
            environment = kept.snapshot.environment
            wish = Wish(
                environment=environment if environment in known else house.settings.environments[0].name,
                network=house.visitors.network(request.scope),
                open=page or kept.page,
                again=name,
                token=kept.token,
            )
            ticket = self.opening[name] = house.admission.ask(wish, house.visitors.address(request.scope))
            task = asyncio.create_task(self._follow(name, ticket))
            self._following.add(task)
            task.add_done_callback(self._following.discard)
        return ticket

    async def _follow(self, name: str, ticket: Ticket) -> None:
        """From the moment that the new one is there, the old link leads to it."""
        await ticket.over()
        if ticket.session is not None:
            await self._house.moves.note(name, ticket.session.name)
        del self.opening[name]

    async def _kept(self, request: Request, token: str = "") -> Kept | None:
        """What was kept of it, for somebody who shows the token that opened it."""
        snapshot = await self._house.work.newest(request.path_params["name"])
        if snapshot is None:
            return None
        right = snapshot.facts.get(TOKEN, "")
        for each in (token, *shown(request)):
            if each and digest(each) == right:
                return Kept(snapshot=snapshot, token=each)
        return None

    def _to(self, name: str, page: str, query: str, status: int) -> Response:
        url = self._house.places.url(name, f"/user/{name}/{page}")
        return RedirectResponse(url + (f"?{query}" if query else ""), status, headers=UNCACHED)


def _is_visit(request: Request) -> bool:
    """Whether a person looks at the answer."""
    accepts = request.headers.get("accept", "")
    return request.method in ("GET", "HEAD") and "text/html" in accepts
