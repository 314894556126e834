"""Everything below `/user/<session>/`: to the session, or to what there is instead."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from amalthea.services.tmpnb.forwarding.forwarder import Gone, forward, is_page
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.pages.again import Again
from amalthea.services.tmpnb.pages.answers import UNCACHED
from amalthea.services.tmpnb.pages.cookies import opening, opens, shown
from amalthea.services.tmpnb.pages.house import House
from amalthea.services.tmpnb.pages.own import Own
from amalthea.services.tmpnb.sessions.session import Session
from amalthea.web.application import PageError
from amalthea.web.static_files import PREFIX

_PATH = re.compile(rb"/user/([a-zA-Z0-9-]{1,80})(?:/(.*))?", re.DOTALL)
_NOTICED_WITHIN = 0.5
_QUIET = frozenset(("GET", "HEAD", "OPTIONS"))


class Door:
    """An application for `/user/…`; `own` and `again` answer what a session does not."""

    def __init__(self, house: House, *, own: Own, again: Again, instruments: Instruments) -> None:
        self._house = house
        self._own = own
        self._again = again
        self._forwarded = instruments.forwarded
        self._policy = " ".join(("frame-ancestors 'self'", *house.settings.frame_ancestors)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = _PATH.fullmatch(scope["raw_path"])
        if found is None:
            raise PageError(404, "There is no such session.")
        name, rest = found[1].decode(), found[2]
        scope["path_params"] = {"name": name}
        request = Request(scope, receive)
        if rest is None:
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"/user/{name}/{f'?{query}' if query else ''}", 302, headers=UNCACHED)(
                scope, receive, send
            )
            return
        session = self._house.sessions.get(name)
        if session is not None:
            try:
                await self._forward(request, session, send)
                return
            except Gone:
                if await self._house.sessions.lives_on(session, seconds=_NOTICED_WITHIN):
                    raise PageError(502, "This notebook server does not answer as it should.") from None
        page = rest.decode("latin-1")
        await (await self._again.instead(request, page))(scope, receive, send)

    async def _forward(self, request: Request, session: Session, send: Send) -> None:
        self._forwarded.inc()
        if request.method not in _QUIET:
            session.active = self._house.clock()
        answer = send
        if is_page(request.scope, session.base) and opens(shown(request), session.token):
            answer = _with_cookie(
                send, opening(session, seconds=self._house.remembered, secure=self._house.places.secure)
            )
        await forward(
            request.scope,
            request.receive,
            answer,
            upstream=self._house.sessions.upstream(session),
            base=session.base,
            strip=self._own.strip(session),
            policy=self._policy,
        )

    def end(self, host: bytes, path: bytes) -> tuple[str, str] | None:
        """Where a WebSocket goes: the address of the session's server, where there is one under that name; its base."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        name = found[1].decode()
        session = self._house.sessions.get(name)
        if session is None or not self._fits(host.decode("latin-1"), name):
            return None
        return session.spawned.address, session.base

    def _fits(self, host: str, name: str) -> bool:
        return not self._house.places.by_name or self._house.places.session_of(host) == name


class Apart:
    """Each session under its own name, and nothing else there but what our pages about it look like.

    The front page is under its own, and no session there.
    """

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._places = house.places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is under its own name, and send elsewhere what is not."""
        if scope["type"] == "http" and self._places.by_name:
            request = Request(scope)
            found = _PATH.fullmatch(scope["raw_path"])
            named = self._places.session_of(request.headers.get("host", ""))
            asked = found[1].decode() if found else ""
            if named and asked != named and not scope["path"].startswith(PREFIX):
                await _to(self._places.url(named, f"/user/{named}/"), scope, receive, send)
                return
            if asked and not named:
                query = f"?{request.url.query}" if request.url.query else ""
                path = scope["raw_path"].decode("latin-1")
                await _to(self._places.url(asked, path) + query, scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _to(url: str, scope: Scope, receive: Receive, send: Send) -> None:
    await RedirectResponse(url, 307, headers=UNCACHED)(scope, receive, send)


def _with_cookie(send: Send, header: tuple[bytes, bytes]) -> Send:
    async def add(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], header]}  # type: ignore[misc]
        await send(message)

    return add  # type: ignore[return-value]
