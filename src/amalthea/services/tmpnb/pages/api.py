"""For programs: the API that tmpnb had, shape for shape, and what it lacked beside it.

POST /api/spawn      {"url": "/user/<session>/lab?token=…"}; when full 429 and {"status": "full"}
GET  /api/stats      {"available", "capacity", "version", "container_image"}
GET  /api/capacity   how full it is, how long it may take, and where else to go
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea import __version__
from amalthea.model.errors import AmaltheaError
from amalthea.services.tmpnb.errors import BadRepository, Full, NotAllowed, NotNow, TooMany
from amalthea.services.tmpnb.pages.answers import UNCACHED
from amalthea.services.tmpnb.pages.house import House
from amalthea.services.tmpnb.sessions.session import Wish

_METHODS = "GET, POST, OPTIONS"
_HEADERS = "Authorization, Content-Type"
_BODY = 10_000


class _Asked(msgspec.Struct):
    """What a program may ask for: the key of an offer, or a path as in a deep link."""

    offer: str = "0"
    path: str = ""


class Api:
    """Everything below `/api/`."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> Sequence[BaseRoute]:
        """With and without a slash at the end, as tmpnb had them."""
        return [
            *(Route(path, self.options, methods=["OPTIONS"]) for path in ("/api/{rest:path}", "/api/spawn")),
            *(Route(path, self.spawn, methods=["POST"]) for path in ("/api/spawn", "/api/spawn/")),
            *(Route(path, self.stats, methods=["GET"]) for path in ("/api/stats", "/api/stats/")),
            *(Route(path, self.moved, methods=["GET"]) for path in ("/stats", "/stats/")),
            Route("/api/capacity", self.capacity, methods=["GET"]),
        ]

    async def spawn(self, request: Request) -> Response:
        """A session, now or not at all."""
        house = self._house
        if house.token and not house.may_use_api(request.headers.get("authorization", "")):
            return self._json({"status": "unauthorized"}, 401, {"www-authenticate": "token"})
        if not house.token and not self._allowed(request):
            return self._json({"status": "forbidden", "message": "this origin may not start sessions"}, 403)
        try:
            session = await house.admission.start(await self._wish(request), house.visitors.address(request.scope))
        except AmaltheaError as error:
            return self._refused(error)
        return self._json({"url": house.url(session)})

    async def stats(self, request: Request) -> Response:
        """How many sessions there is room for."""
        house = self._house
        first = house.settings.environments[0]
        return self._json(
            {
                "available": house.admission.free,
                "capacity": house.settings.capacity,
                "version": __version__,
                "container_image": first.image or first.name,
            }
        )

    async def capacity(self, request: Request) -> Response:
        """The same and more."""
        house = self._house
        waiting = len(house.admission.waiting)
        return self._json(
            {
                "site": house.site,
                "available": house.admission.free,
                "capacity": house.settings.capacity,
                "sessions": len(house.sessions),
                "waiting": waiting,
                "expected_wait": 0 if house.admission.free else house.admission.expected(waiting + 1),
                "fallback": house.settings.fallback or None,
                "lite": house.lite_path or None,
            }
        )

    async def moved(self, request: Request) -> Response:
        """Where tmpnb had it first."""
        return RedirectResponse("/api/stats", 301)

    async def options(self, request: Request) -> Response:
        """What a browser asks before it sends what another site wants."""
        return Response(status_code=204, headers={**self._cors(), "allow": _METHODS})

    async def _wish(self, request: Request) -> Wish:
        house, network = self._house, self._house.visitors.network(request.scope)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _BODY:
                raise BadRepository("The request is too long.")
        try:
            asked = msgspec.json.decode(body, type=_Asked) if body.strip().startswith(b"{") else _Asked()
        except msgspec.MsgspecError as error:
            raise BadRepository(f"The request is not as it should be: {error}") from None
        if asked.path:
            return house.wishes.of_link(asked.path, network=network)
        wish = house.wishes.of_offer(asked.offer, network=network)
        if wish is None:
            raise BadRepository("There is no such offer.", where=asked.offer[:100])
        return wish

    def _refused(self, error: AmaltheaError) -> Response:
        """Full is said as tmpnb said it; the rest in the same shape."""
        headers = {}
        if isinstance(error, NotNow):
            headers["retry-after"] = str(ceil(error.seconds or 30))
        if isinstance(error, Full):
            if self._house.overflowing:
                headers["location"] = self._house.elsewhere()
            return self._json({"status": "full"}, 429, headers)
        status = error.status if isinstance(error, NotNow | NotAllowed | BadRepository) else 503
        name = "limited" if isinstance(error, TooMany) else "refused" if status < 500 else "failed"
        return self._json({"status": name, "message": error.message}, status, headers)

    def _allowed(self, request: Request) -> bool:
        """Whether the page that asks may, where a browser says which one it is."""
        origin = request.headers.get("origin", "")
        own = origin.partition("://")[2] == request.headers.get("host", "")
        return not origin or own or self._house.settings.allow_origin in ("*", origin)

    def _cors(self) -> dict[str, str]:
        origin = self._house.settings.allow_origin
        if not origin:
            return {}
        return {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _HEADERS,
            "access-control-expose-headers": "Retry-After",
            "access-control-max-age": "600",
            "vary": "origin",
        }

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return JSONResponse(value, status, headers={**UNCACHED, **self._cors(), **(headers or {})})
