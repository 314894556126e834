"""Run one service's two applications - visitors' and administrators' - until cancelled.

Sockets are bound before anything else, so that a port in use is one clear sentence and not a traceback.
On cancellation the listeners close first; requests under way get a few seconds to finish.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from amalthea.model.errors import PortInUse, UsageError
from amalthea.model.service import Listen
from amalthea.web.swift import Swift, SwiftProtocol

DRAIN_SECONDS = 5


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `PortInUse`, or `UsageError` for an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns the 40 ms wait of small packets (Nagle) off only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                "the port is in use by another program",
                where=f"{host}:{port}",
                hint=f"See who has it with `ss -ltnp 'sport = :{port}'`, or choose another port.",
            ) from None
        raise UsageError(f"cannot listen here: {error.strerror}", where=f"{host}:{port}") from None
    listener.setblocking(False)
    return listener


class _Quiet(uvicorn.Server):
    """Signals are the caller's: whoever runs the loop cancels `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


WebSockets = Callable[[uvicorn.Config, ServerState, Any], asyncio.Protocol]
"""Makes the protocol that a connection has from the request for a WebSocket on, instead of uvicorn's own."""


def _server(app: ASGIApp, websockets: WebSockets | None = None) -> _Quiet:
    return _Quiet(
        uvicorn.Config(
            app,
            http=SwiftProtocol if isinstance(app, Swift) else "auto",
            ws=cast("type[asyncio.Protocol]", websockets) if websockets is not None else "auto",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=75,
        )
    )


async def serve(app: ASGIApp, admin: ASGIApp, listen: Listen, *, websockets: WebSockets | None = None) -> None:
    """Answer until cancelled. Raises `PortInUse` before the first request is taken."""
    with ExitStack() as opened:
        listeners = [opened.enter_context(bind(listen.host, port)) for port in (listen.http, listen.admin)]
        await _run([_server(app, websockets), _server(admin)], listeners)


async def _run(servers: Sequence[_Quiet], listeners: Sequence[socket.socket]) -> None:
    tasks = [asyncio.create_task(s.serve(sockets=[sock])) for s, sock in zip(servers, listeners, strict=True)]
    try:
        await asyncio.gather(*(asyncio.shield(task) for task in tasks))
    except asyncio.CancelledError:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)
        raise
