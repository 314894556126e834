"""What operators ask a running tmpnb, at its administrators' port: who is here, what they do, and to end them.

GET    /-/sessions             every session in use, with what it uses and where it connects to
DELETE /-/sessions/{name}      end one
GET    /-/walls                the walls around sessions on this machine
DELETE /-/pool                 end those that are ready; new ones follow at once
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.clock import Clock
from amalthea.model.errors import Unreachable
from amalthea.model.spawner import Usage
from amalthea.model.wire import builtins
from amalthea.services.tmpnb.errors import NoSuchSession
from amalthea.services.tmpnb.opening import Opened
from amalthea.services.tmpnb.sessions.session import Session

_CONNECTIONS = 20


class SessionReport(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as operators see it: never what opens it. Times are in seconds."""

    name: str
    network: str
    environment: str
    source: str
    age: float
    left: float
    idle: float
    busy: bool
    slowed: bool
    usage: Usage
    connections: tuple[dict[str, object], ...] = ()


class Operating:
    """What one running tmpnb answers to those who operate it."""

    def __init__(self, tmpnb: Opened, *, clock: Clock) -> None:
        self._tmpnb = tmpnb
        self._clock = clock

    def routes(self) -> Sequence[BaseRoute]:
        """For the administrators' application."""
        return [
            Route("/-/sessions", self.listed, methods=["GET"]),
            Route("/-/sessions/{name}", self.ended, methods=["DELETE"]),
            Route("/-/walls", self.walls, methods=["GET"]),
            *(Route(path, self.drained, methods=["DELETE"]) for path in ("/-/pool", "/api/pool")),
        ]

    async def listed(self, request: Request) -> Response:
        """Every session, and how full it is."""
        found = await asyncio.gather(*map(self._report, self._tmpnb.sessions))
        return JSONResponse(
            {
                "sessions": builtins(list(found)),
                "ready": self._tmpnb.pool.idle,
                "waiting": len(self._tmpnb.admission.waiting),
                "free": self._tmpnb.admission.free,
            }
        )

    async def ended(self, request: Request) -> Response:
        """End one; its work is kept."""
        name = request.path_params["name"]
        try:
            await self._tmpnb.sessions.end(name, "Whoever runs this service ended it.", reason="operator")
        except NoSuchSession:
            return JSONResponse({"ended": False, "message": f"there is no session {name} here"}, 404)
        return JSONResponse({"ended": True})

    async def walls(self, request: Request) -> Response:
        """What stands around each session here."""
        return JSONResponse(builtins(list(self._tmpnb.spawner.guarantees())))

    async def drained(self, request: Request) -> Response:
        """End what is ready; new ones follow."""
        return JSONResponse({"drained": await self._tmpnb.pool.drain()})

    async def _report(self, session: Session) -> SessionReport:
        now = self._clock()
        try:
            usage = await self._tmpnb.spawner.usage(session.name)
        except Unreachable:
            usage = Usage()
        return SessionReport(
            name=session.name,
            network=session.wish.network,
            environment=session.wish.environment,
            source=session.wish.source,
            age=round((now - session.started).total_seconds(), 1),
            left=round(self._tmpnb.sessions.left(session).total_seconds(), 1),
            idle=0.0 if session.busy else round((now - session.active).total_seconds(), 1),
            busy=session.busy,
            slowed=session.slowed,
            usage=usage,
            connections=tuple(map(builtins, self._tmpnb.egress.connections(session.name)[-_CONNECTIONS:])),
        )
