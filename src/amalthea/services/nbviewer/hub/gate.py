"""A JupyterHub that this nbviewer is a service of: where it is, and what it says of a visitor.

The hub tells a service all of it in environment variables. Visitors are sent to the hub by OAuth: it knows who they
are, asks them to log in where it does not, and sends them back with a code; for the code and the service's own token
it gives a token of that visitor, and for that who the visitor is and what he may use.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

import httpx2
import msgspec

from amalthea.model.clock import Clock
from amalthea.model.errors import UsageError
from amalthea.services.nbviewer.errors import Denied, Unavailable
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once

T = TypeVar("T")
_PRIVATE = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_SERVICE_PREFIX")
_KNOWN_FOR = timedelta(seconds=60)
_SECONDS = 10
_MOST_USERS = 10_000


class HubPlace(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub told this service.

    token:      the service's own, and the secret of its OAuth client
    api_url:    where this process reaches the hub's API
    prefix:     the path of this service, with a slash at both ends
    home:       where visitors reach the hub: a path, or a URL where the hub has a host of its own
    public_url: where visitors reach this service, as a URL; empty where the hub does not know
    callback:   where the hub sends them back to
    scopes:     a visitor needs one of these
    """

    token: str
    api_url: str
    prefix: str
    home: str
    client_id: str
    callback: str
    scopes: tuple[str, ...]
    public_url: str = ""

    @property
    def authorize_url(self) -> str:
        """Where a visitor is sent to say who he is."""
        return f"{self.home}api/oauth2/authorize"

    @property
    def logout_url(self) -> str:
        """Where a visitor leaves the hub itself."""
        return f"{self.home}logout"


def place(environment: Mapping[str, str]) -> HubPlace | None:
    """The hub in an environment; None where this process is no hub's service. Raises `UsageError` for half of one."""
    if not environment.get("JUPYTERHUB_SERVICE_PREFIX"):
        return None
    missing = [name for name in _PRIVATE if not environment.get(name)]
    if missing:
        raise UsageError(
            f"this is started as a service of a JupyterHub, but it is not told {' and '.join(missing)}",
            where="the environment",
            hint="The hub sets it for services it starts; for others set it as in the hub's configuration.",
        )
    token, api_url, prefix = (environment[name] for name in _PRIVATE)
    prefix = f"/{prefix.strip('/')}/".replace("//", "/")
    name = environment.get("JUPYTERHUB_SERVICE_NAME") or prefix.rstrip("/").rpartition("/")[2]
    base = f"/{environment.get('JUPYTERHUB_BASE_URL', '').strip('/')}/".replace("//", "/")
    scopes = environment.get("JUPYTERHUB_OAUTH_ACCESS_SCOPES") or json.dumps([f"access:services!service={name}"])
    return HubPlace(
        token=token,
        api_url=api_url.rstrip("/"),
        prefix=prefix,
        home=f"{environment.get('JUPYTERHUB_HOST', '').rstrip('/')}{base}hub/",
        client_id=environment.get("JUPYTERHUB_CLIENT_ID") or f"service-{name}",
        callback=environment.get("JUPYTERHUB_OAUTH_CALLBACK_URL") or f"{prefix}oauth_callback",
        scopes=tuple(json.loads(scopes)),
        public_url=environment.get("JUPYTERHUB_PUBLIC_URL", ""),
    )


class HubUser(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor as the hub knows him."""

    name: str
    scopes: tuple[str, ...] = ()

    def may(self, needed: tuple[str, ...]) -> bool:
        """Whether he has one of the scopes, or the same for everything."""
        return any(scope in self.scopes or scope.partition("!")[0] in self.scopes for scope in needed)


class _Known(msgspec.Struct, frozen=True):
    user: HubUser | None
    at: datetime


class _Token(msgspec.Struct, frozen=True):
    access_token: str


class Hub:
    """The hub's API. What it says of a token is believed for a minute."""

    def __init__(self, where: HubPlace, *, clock: Clock) -> None:
        self.place = where
        self._clock = clock
        self._client = httpx2.AsyncClient(timeout=_SECONDS, trust_env=False, follow_redirects=False)
        self._known: Memory[_Known] = Memory(_MOST_USERS, lambda known: 1)
        self._once: Once[HubUser | None] = Once()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._once.aclose()
        await self._client.aclose()

    async def token(self, code: str, *, verifier: str) -> str:
        """The visitor's token for the code that the hub sent him back with. Raises `Denied`, `Unavailable`."""
        fields = {
            "client_id": self.place.client_id,
            "client_secret": self.place.token,
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self.place.callback,
        }
        answer = await self._ask("POST", "/oauth2/token", content=urlencode(fields).encode(), headers=_FORM)
        if answer.status_code in (400, 401, 403):
            raise Denied("JupyterHub does not know this login any more.", hint="Go back to the page and try again.")
        return self._read(answer, _Token).access_token

    async def user(self, token: str, *, session: str = "") -> HubUser | None:
        """Whose token it is; None where the hub no longer knows it. Raises `Unavailable`.

        `session` changes when the visitor leaves the hub, so that what was known before does not count.
        """
        key = hashlib.sha256(f"{session}\0{token}".encode(errors="surrogatepass")).hexdigest()
        known = self._known.get(key)
        if known is not None and self._clock() - known.at < _KNOWN_FOR:
            return known.user
        return await self._once.run(key, lambda: self._look_up(key, token))

    async def _look_up(self, key: str, token: str) -> HubUser | None:
        answer = await self._ask("GET", "/user", headers={"authorization": f"token {token}"})
        user = None if answer.status_code in (401, 403, 404) else self._read(answer, HubUser)
        self._known.put(key, _Known(user, self._clock()))
        return user

    async def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx2.Response:
        try:
            return await self._client.request(method, self.place.api_url + path, headers=headers, content=content)
        except httpx2.HTTPError as error:
            raise self._unavailable(type(error).__name__) from error

    def _read(self, answer: httpx2.Response, kind: type[T]) -> T:
        if answer.status_code != 200:
            raise self._unavailable(f"status {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as error:
            raise self._unavailable("an answer that is not understood") from error

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(f"JupyterHub does not say who you are ({what}).", hint="Try again in a moment.")


_FORM = {"content-type": "application/x-www-form-urlencoded"}
