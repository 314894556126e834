"""What the strip in a session's pages asks: time left, more of it, my work. All of it below `/user/<session>/-/`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from amalthea.model.errors import AmaltheaError
from amalthea.services.tmpnb.pages.answers import UNCACHED, check_same_origin, page_error
from amalthea.services.tmpnb.pages.cookies import opens, shown
from amalthea.services.tmpnb.pages.house import House
from amalthea.services.tmpnb.sessions.keeping import TOKEN, digest
from amalthea.services.tmpnb.sessions.session import Session
from amalthea.web.application import PageError, static_file

STRIP = "strip.js"


class Own:
    """The session's own corner."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> Sequence[BaseRoute]:
        """For a session that lives, but for the archive."""
        at = "/user/{name}/-"
        return [
            Route(f"{at}/time", self.time, methods=["GET"]),
            Route(f"{at}/more", self.more, methods=["POST"]),
            Route(f"{at}/end", self.end, methods=["POST"]),
            Route(f"{at}/link", self.link, methods=["POST"]),
            Route(f"{at}/work.zip", self.archive, methods=["GET"]),
            Route(f"{at}/static/{{name_of_file}}", self.file, methods=["GET"]),
        ]

    def strip(self, session: Session) -> bytes:
        """What goes into a page, so that it shows the strip."""
        name = self._house.static.url(STRIP).rpartition("/")[2]
        return f'<script src="{session.base}-/static/{name}" data-session="{session.base}" defer></script>'.encode()

    async def file(self, request: Request) -> Response:
        """The strip itself, under the session's own name."""
        request.path_params["name"] = request.path_params["name_of_file"]
        return static_file(self._house.static, request)

    async def time(self, request: Request) -> Response:
        """How long it lives, and what may be done about it."""
        return self._told(self._session(request))

    async def more(self, request: Request) -> Response:
        """Give it more time, where there is some to give."""
        session = self._session(request)
        self._house.sessions.more(session)
        return self._told(session)

    async def end(self, request: Request) -> Response:
        """End it now; its work is kept for a while."""
        session = self._session(request)
        await self._house.sessions.end(session.name, "You ended it.", reason="visitor")
        return JSONResponse({"ended": True}, headers=UNCACHED)

    async def link(self, request: Request) -> Response:
        """The address that lets others in, to read and to write."""
        session = self._session(request)
        return JSONResponse({"url": self._house.url(session)}, headers=UNCACHED)

    async def archive(self, request: Request) -> Response:
        """All files as a zip: of a session that lives, or as they were last kept."""
        house, name = self._house, request.path_params["name"]
        session = house.sessions.get(name)
        try:
            if session is not None:
                self._check(request, session)
                pieces = house.work.archive_home(house.sessions.home(session))
            else:
                snapshot = await house.work.newest(name)
                if snapshot is None:
                    raise PageError(404, "Nothing was kept of this session, or its time is over.")
                if not any(digest(token) == snapshot.facts.get(TOKEN) for token in shown(request)):
                    raise PageError(403, "Only who had this session gets its files.")
                pieces = house.work.archive(snapshot)
            first = await anext(pieces)
        except AmaltheaError as error:
            raise page_error(error) from None
        headers = {**UNCACHED, "content-disposition": f'attachment; filename="notebooks-{name[:6]}.zip"'}
        return StreamingResponse(_after(first, pieces), media_type="application/zip", headers=headers)

    def _told(self, session: Session) -> Response:
        house = self._house
        saved = house.saver.saved(session.name)
        now = house.clock()
        return JSONResponse(
            {
                "left": round(house.sessions.left(session).total_seconds(), 1),
                "until": round((session.until - now).total_seconds(), 1),
                "warning": float(house.settings.warning),
                "busy": session.busy,
                "slowed": session.slowed,
                "more": house.sessions.may_have_more(session),
                "saved": round((now - saved.at).total_seconds(), 1) if saved.at else None,
                "trouble": saved.trouble,
                "keep": float(house.settings.keep),
            },
            headers=UNCACHED,
        )

    def _session(self, request: Request) -> Session:
        session = self._house.sessions.get(request.path_params["name"])
        if session is None:
            raise PageError(404, "This session has ended.")
        if request.method == "POST":  # a page of another session is of the same site, so that the cookie would come
            check_same_origin(request)
        self._check(request, session)
        return session

    def _check(self, request: Request, session: Session) -> None:
        if not opens(shown(request), session.token):
            raise PageError(403, "This session is somebody else's.")


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
