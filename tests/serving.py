"""An application behind a real server in the test's own loop, which ends as soon as the test does.

uvicorn looks ten times a second whether it should end, and waits once more when it does. For a server that runs for
months that is nothing; for hundreds that run for a moment each it is minutes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from amalthea.web.server import bind


class _Prompt(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        under_way = list(self.server_state.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.sleep(0)  # for the connections to close


@asynccontextmanager
async def serving(app: ASGIApp, **options: Any) -> AsyncIterator[int]:
    """The application on a free port of loopback, until the block ends; `options` are uvicorn's."""
    listener = bind("127.0.0.1", 0)
    server = _Prompt(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", **options))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.ended.set()
        await task
        listener.close()
