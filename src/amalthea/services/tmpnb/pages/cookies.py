"""Which sessions a browser has: cookies of ours, which no session ever sees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from secrets import compare_digest

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from amalthea.services.tmpnb.forwarding.headers import COOKIE
from amalthea.services.tmpnb.sessions.session import NAME, Session

_LIST = f"{COOKIE}s"
_MOST = 5
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


def remembered(request: Request) -> dict[str, str]:
    """The tokens of the sessions that this browser has started, by their names, the newest last.

    A page of a session below the same name may have written something else there; that is left out.
    """
    pairs = (part.partition(":") for part in request.cookies.get(_LIST, "").split("|"))
    return {name: token for name, _, token in pairs if NAME.fullmatch(name) and _TOKEN.fullmatch(token)}


def remember(response: Response, request: Request, session: Session, *, seconds: float, secure: bool) -> None:
    """Let this browser find its session again from the front page."""
    known = {**remembered(request), session.name: session.token}
    text = "|".join(f"{name}:{token}" for name, token in list(known.items())[-_MOST:])
    response.set_cookie(_LIST, text, max_age=int(seconds), path="/", httponly=True, samesite="lax", secure=secure)


def opening(session: Session, *, seconds: float, secure: bool) -> tuple[bytes, bytes]:
    """The header that lets the pages of a session ask about it."""
    attributes = f"Path={session.base}; Max-Age={int(seconds)}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
    return b"set-cookie", f"{COOKIE}={session.token}; {attributes}".encode()


def shown(request: Request) -> list[str]:
    """Every token that a request shows for the session that it is about."""
    header = request.headers.get("authorization", "")
    kind, _, token = header.partition(" ")
    asked = QueryParams(request.url.query).get("token", "")
    mine = remembered(request).get(request.path_params.get("name", ""), "")
    found = (token.strip() if kind.lower() in ("token", "bearer") else "", asked, _own(request), mine)
    return [token for token in found if token]


def opens(tokens: Iterable[str], right: str) -> bool:
    """Whether one of them is the right one."""
    return any(compare_digest(token.encode(), right.encode()) for token in tokens)


def _own(request: Request) -> str:
    return request.cookies.get(COOKIE, "")
