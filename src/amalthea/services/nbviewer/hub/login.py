"""Pages for the users of a JupyterHub alone.

Whoever has no session is sent to the hub and comes back to `oauth_callback` with a code, which is good only
together with a cookie of the browser that was sent: so nobody can be logged in as somebody else by a link. The
session is a signed cookie for this service's path; the hub is asked again, often, whether it still holds.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.errors import SourceError
from amalthea.services.nbviewer.hub.gate import Hub, HubUser
from amalthea.services.nbviewer.hub.signing import Signer
from amalthea.services.nbviewer.pages.answers import problem
from amalthea.web.application import PageError

_OPEN = frozenset({"/robots.txt", "/favicon.ico"})
_SESSION = "nbviewer-session"
_STATE = "nbviewer-state-"
_HUB_SESSION = "jupyterhub-session-id"
_LOGIN_TIME = timedelta(minutes=10)
_LONGEST_NEXT = 2000  # a cookie holds 4 KB in all

View = Callable[[Request], Awaitable[Response]]


class _State(msgspec.Struct, frozen=True):
    """A login under way: its number, where it leads, when it ends."""

    nonce: str
    next: str
    until: float


class Login:
    """Stands in front of pages. `signer` makes what goes through the visitor's hands."""

    def __init__(self, hub: Hub, signer: Signer, *, clock: Clock) -> None:
        self._hub = hub
        self._signer = signer
        self._clock = clock

    def guarded(self, routes: Sequence[BaseRoute]) -> Sequence[BaseRoute]:
        """The same routes, for users of the hub alone, and those of the login before them."""
        return [
            Route("/oauth_callback", self.callback),
            Route("/logout", self.logout),
            *(self._guarded(route) for route in routes),
        ]

    async def callback(self, request: Request) -> Response:
        """The visitor comes back from the hub."""
        asked = request.query_params
        state = self._state(request, asked.get("state", ""))
        if "error" in asked:
            raise PageError(403, "JupyterHub did not let you in.", where=asked.get("error_description", "")[:300])
        try:
            token = await self._hub.token(asked.get("code", ""), verifier=self._verifier(state.nonce))
            self._admitted(await self._hub.user(token, session=_hub_session(request)))
        except SourceError as error:
            raise problem(error, now=self._clock()) from error
        answer = RedirectResponse(state.next, status_code=302, headers={"cache-control": "no-store"})
        self._set(request, answer, _SESSION, self._signer.signed("session", token))
        answer.delete_cookie(_STATE + state.nonce[:8], path=self._hub.place.prefix)
        return answer

    async def logout(self, request: Request) -> Response:
        """Forget the session, and leave the hub, which would begin another one at once; never for a mere picture."""
        if request.headers.get("sec-fetch-dest", "document") != "document":
            raise PageError(403, "Open this address to leave.", headers={"cache-control": "no-store"})
        answer = RedirectResponse(self._hub.place.logout_url, status_code=302, headers={"cache-control": "no-store"})
        answer.delete_cookie(_SESSION, path=self._hub.place.prefix, httponly=True, samesite="lax")
        return answer

    def _guarded(self, route: BaseRoute) -> BaseRoute:
        assert isinstance(route, Route)
        view: View = route.endpoint
        if route.path in _OPEN:
            return route

        async def guarded(request: Request) -> Response:
            try:
                user = await self._user(request)
            except SourceError as error:
                raise problem(error, now=self._clock()) from error
            if user is None:
                return self._to_the_hub(request)
            self._admitted(user)
            return _for_one(await view(request))

        return Route(route.path, guarded, methods=list(route.methods or ()))

    async def _user(self, request: Request) -> HubUser | None:
        token = self._signer.opened("session", request.cookies.get(_SESSION, ""))
        return await self._hub.user(token, session=_hub_session(request)) if token else None

    def _admitted(self, user: HubUser | None) -> None:
        place = self._hub.place
        if user is None or not user.may(place.scopes):
            who = f"The account {user.name!r} may not" if user else "This account may not"
            raise PageError(
                403,
                f"{who} use this nbviewer.",
                hint=f"Ask those who run the hub for the scope {' or '.join(place.scopes)}.",
                headers={"cache-control": "no-store"},
            )

    def _to_the_hub(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-dest", "document") not in ("document", "iframe", "empty"):
            raise PageError(403, "Log in first: open a page of this nbviewer.")
        place = self._hub.place
        nonce = secrets.token_hex(16)
        state = _State(nonce, self._here(request), (self._clock() + _LOGIN_TIME).timestamp())
        asked = {
            "client_id": place.client_id,
            "redirect_uri": place.callback,
            "response_type": "code",
            "state": nonce,
            "code_challenge": self._challenge(nonce),
            "code_challenge_method": "S256",
        }
        headers = {"cache-control": "no-store"}
        answer = RedirectResponse(f"{place.authorize_url}?{urlencode(asked)}", status_code=302, headers=headers)
        signed = self._signer.signed("state", msgspec.json.encode(state).decode())
        self._set(request, answer, _STATE + nonce[:8], signed, seconds=int(_LOGIN_TIME.total_seconds()))
        return answer

    def _here(self, request: Request) -> str:
        """The path to come back to: the page that was asked for, or the front page where it cannot be asked again."""
        prefix = self._hub.place.prefix
        raw: bytes = request.scope["raw_path"]
        query: bytes = request.scope["query_string"]
        path = prefix + raw.decode("latin-1").lstrip("/") + ("?" + query.decode("latin-1") if query else "")
        return path if request.method in ("GET", "HEAD") and len(path) <= _LONGEST_NEXT else prefix

    def _state(self, request: Request, nonce: str) -> _State:
        """The login that this browser began under this number."""
        signed = request.cookies.get(_STATE + nonce[:8], "")
        text = self._signer.opened("state", signed)
        state = msgspec.json.decode(text, type=_State) if text else None
        if state is None or state.nonce != nonce or self._clock().timestamp() > state.until:
            raise PageError(
                403,
                "This login was not begun in this browser, or too long ago.",
                hint="Go back to the page and try again. Cookies of this site have to be allowed.",
                headers={"cache-control": "no-store"},
            )
        return state

    def _verifier(self, nonce: str) -> str:
        """What proves to the hub that whoever brings the code began the login."""
        return self._signer.signature("verifier", nonce)

    def _challenge(self, nonce: str) -> str:
        digest = hashlib.sha256(self._verifier(nonce).encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _set(self, request: Request, answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """A cookie for this service alone; without `seconds` it ends with the browser's session."""
        https = request.headers.get("x-forwarded-proto", request.url.scheme).startswith("https")
        path = self._hub.place.prefix
        answer.set_cookie(name, value, max_age=seconds, path=path, secure=https, httponly=True, samesite="lax")


def _hub_session(request: Request) -> str:
    """What the hub takes away when a visitor leaves it, so that what was known of him does not count any more."""
    return request.cookies.get(_HUB_SESSION, "")


def _for_one(answer: Response) -> Response:
    """No cache on the way may give it to somebody else."""
    kept = answer.headers.get("cache-control", "no-cache").replace("public", "private")
    closed = "private" in kept or "no-store" in kept
    answer.headers["cache-control"] = kept if closed else f"private, {kept}"
    answer.headers.add_vary_header("cookie")
    return answer
