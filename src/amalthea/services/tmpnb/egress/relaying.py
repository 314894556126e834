"""Bytes between two sockets, until both sides have ended.

One piece is read, paid for and passed on before the next is read, so a side that takes slowly, or a session beyond
its rate, slows down the other side by TCP's own means, and nothing piles up here. When one side says that it has
ended, the other is told so and may go on talking.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress

from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.refusing import Refused
from amalthea.services.tmpnb.egress.settings import EgressSettings
from amalthea.services.tmpnb.egress.traffic import Flow

_LARGEST, _SMALLEST = 64 * 2**10, 2**10
_PIECES_A_SECOND = 8


class Relay:
    """Between a session (`client`) and a host (`server`); closes neither."""

    def __init__(self, client: socket.socket, server: socket.socket, flow: Flow, settings: EgressSettings) -> None:
        self._client = client
        self._server = server
        self._flow = flow
        self._idle = float(settings.idle_timeout)
        self._up_size = _piece(settings.upload_rate)
        self._down_size = _piece(settings.rate)
        self._loop = asyncio.get_running_loop()
        self._deadline = asyncio.timeout(self._idle)

    async def tunnel(self, first: bytes) -> Verdict:
        """Both ways; `first` has been read from the client already. Returns how it ended."""
        return await self._until_idle(self._both(first))

    async def answer(self, request: bytes) -> Verdict:
        """Send one request, and pass on what is answered. Returns how it ended."""
        return await self._until_idle(self._ask(request))

    async def _until_idle(self, way: Coroutine[None, None, None]) -> Verdict:
        try:
            async with self._deadline:
                await way
        except TimeoutError:
            return Verdict.IDLE
        except Refused as refused:
            return refused.verdict
        except OSError:
            return Verdict.BROKEN
        except ExceptionGroup as failures:
            return _verdict(failures)
        return Verdict.DONE

    async def _both(self, first: bytes) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._up(first))
            await self._down()

    async def _ask(self, request: bytes) -> None:
        await self._pass(request, self._server, self._flow.send)
        async with asyncio.TaskGroup() as group:
            silence = group.create_task(self._silence())
            await self._down()
            silence.cancel()

    async def _silence(self) -> None:
        """Nothing may follow the one request; an end may, since the other way stays open."""
        if await self._loop.sock_recv(self._client, 1):
            raise ConnectionAbortedError("a second request")

    async def _up(self, first: bytes) -> None:
        await self._pass(first, self._server, self._flow.send)
        await self._copy(self._client, self._server, self._up_size, self._flow.send)

    async def _down(self) -> None:
        await self._copy(self._server, self._client, self._down_size, self._flow.receive)

    async def _copy(
        self, source: socket.socket, sink: socket.socket, size: int, account: Callable[[int], float]
    ) -> None:
        while data := await self._loop.sock_recv(source, size):
            await self._pass(data, sink, account)
        with suppress(OSError):  # it may be gone already
            sink.shutdown(socket.SHUT_WR)

    async def _pass(self, data: bytes, sink: socket.socket, account: Callable[[int], float]) -> None:
        wait = account(len(data))
        self._extend(wait)
        if wait:
            await asyncio.sleep(wait)
        await self._loop.sock_sendall(sink, data)
        self._extend(0.0)

    def _extend(self, wait: float) -> None:
        """It is not idle now, nor while we make it wait ourselves."""
        when = self._deadline.when()
        later = self._loop.time() + wait + self._idle
        if not self._deadline.expired() and when is not None and later > when:
            self._deadline.reschedule(later)


def _piece(rate: int) -> int:
    """Bytes that are read at a time: small ones where the rate is, so that no wait is long."""
    return max(_SMALLEST, min(_LARGEST, rate // _PIECES_A_SECOND))


def _verdict(failures: ExceptionGroup[Exception]) -> Verdict:
    """Of several failures at once, a refusal is what caused the others. What is no failure of sockets is raised."""
    if failures.subgroup(Refused) is not None:
        return Verdict.SPENT
    if failures.split(OSError)[1] is not None:
        raise failures
    return Verdict.BROKEN
