"""The proxy that stands where a session's network ends."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from functools import partial

from amalthea.model.clock import Clock
from amalthea.services.tmpnb.egress.attending import Attendant
from amalthea.services.tmpnb.egress.dialling import Dialler
from amalthea.services.tmpnb.egress.instruments import EgressInstruments
from amalthea.services.tmpnb.egress.records import Connection, Verdict
from amalthea.services.tmpnb.egress.rules import Rules
from amalthea.services.tmpnb.egress.traffic import Traffic
from amalthea.web.addresses import Resolve, SystemResolver

_REFUSED_AT_ONCE = 8
_REST = 0.5
_FOR_EVER = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EOPNOTSUPP})
_REMEMBERED_SESSIONS = 100

log = logging.getLogger(__package__)


class Egress:
    """Connects sessions to the hosts they may reach, each within its own limits.

    Without `resolve` it asks the machine's resolver. Whoever made it closes it, after every `serve` has ended.
    """

    def __init__(
        self, rules: Rules, *, resolve: Resolve | None = None, clock: Clock, instruments: EgressInstruments
    ) -> None:
        self._settings = rules.settings
        self._clock = clock
        self._instruments = instruments
        self._system: SystemResolver | None = None
        if resolve is None:
            resolve = self._system = SystemResolver()
        self._attendant = Attendant(rules, Dialler(rules, resolve))
        self._serving: dict[str, Traffic] = {}
        self._ended: dict[str, Traffic] = {}

    async def serve(self, listener: socket.socket, session: str) -> None:
        """Attend to what arrives at a listening socket, of whatever network, until cancelled.

        The socket stays its owner's to close, which has to be after this ends. There is one `serve` for a session;
        raises `ValueError` for a second at the same time, `OSError` when the socket is none that can be listened to.
        """
        if session in self._serving:
            raise ValueError(f"{session} is being served")
        traffic = self._ended.pop(session, None) or Traffic(
            session, self._settings, clock=self._clock, instruments=self._instruments
        )
        self._serving[session] = traffic
        try:
            await self._accept_all(listener, traffic)
        finally:
            self._ended[session] = self._serving.pop(session)
            while len(self._ended) > _REMEMBERED_SESSIONS:
                del self._ended[next(iter(self._ended))]

    def connections(self, session: str) -> Sequence[Connection]:
        """The last connections of a session, then those that are open; none for one that is not known any more."""
        traffic = self._serving.get(session) or self._ended.get(session)
        return traffic.records() if traffic else ()

    def close(self) -> None:
        """Let go of the resolver."""
        if self._system is not None:
            self._system.close()

    async def _accept_all(self, listener: socket.socket, traffic: Traffic) -> None:
        """Beyond its limit a session is refused; beyond some refusals it waits in the kernel's queue."""
        listener.setblocking(False)
        slots = asyncio.Semaphore(self._settings.connections + _REFUSED_AT_ONCE)
        tasks: set[asyncio.Task[None]] = set()

        def ended(task: asyncio.Task[None], client: socket.socket) -> None:
            client.close()  # here, since a task that is cancelled at once never runs
            tasks.discard(task)
            slots.release()

        try:
            while True:
                await slots.acquire()
                client = await _accepted(listener)
                task = asyncio.create_task(self._attend(client, traffic))
                tasks.add(task)
                task.add_done_callback(partial(ended, client=client))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, client: socket.socket, traffic: Traffic) -> None:
        flow, verdict = traffic.begin(), Verdict.ENDED
        try:
            verdict = await self._attendant.attend(client, flow)
        except OSError:
            verdict = Verdict.BROKEN
        except Exception:
            log.exception("a connection of a session failed")
            verdict = Verdict.FAULT
        finally:
            traffic.end(flow, verdict)


async def _accepted(listener: socket.socket) -> socket.socket:
    """The next connection. Nothing is awaited once it is there, so that none is lost when this is cancelled.

    Raises `OSError` when there will never be one.
    """
    while True:
        await _readable(listener)
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionError):
            continue
        except OSError as error:
            if error.errno in _FOR_EVER:
                raise
            log.warning("cannot accept connections of a session for the moment: %s", error)
            await asyncio.sleep(_REST)  # most likely for a descriptor
            continue
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client


async def _readable(listener: socket.socket) -> None:
    if listener.fileno() == -1:
        raise OSError(errno.EBADF, "the listening socket is closed")
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(listener, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(listener)
