"""One connection of a session, from its first byte to its last."""

from __future__ import annotations

import asyncio
import socket

from amalthea.services.tmpnb.egress.dialling import Dialler
from amalthea.services.tmpnb.egress.hello import LONGEST, Hello, Unread, read_hello
from amalthea.services.tmpnb.egress.parting import part, reset
from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.refusing import ALERT, Refused, answer
from amalthea.services.tmpnb.egress.relaying import Relay
from amalthea.services.tmpnb.egress.request import Request, read_head, read_request
from amalthea.services.tmpnb.egress.rules import Rules, is_address
from amalthea.services.tmpnb.egress.traffic import Flow

_OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_LONGEST_REST = 5.0
_CUT_OFF = frozenset({Verdict.IDLE, Verdict.BROKEN, Verdict.SPENT, Verdict.ENDED})


class Attendant:
    """Attends to connections under some rules."""

    def __init__(self, rules: Rules, dialler: Dialler) -> None:
        self._rules = rules
        self._settings = rules.settings
        self._dialler = dialler

    async def attend(self, client: socket.socket, flow: Flow) -> Verdict:
        """Do what is asked for, or say why not; returns how it ended. Raises `OSError` for a client that went away."""
        try:
            flow.traffic.admit(flow)
            request, early = await self._asked(client, flow)
            server = await self._dialler.dial(request.host, request.port)
        except Refused as refused:
            await part(client, answer(refused, self._rules))
            if refused.verdict is Verdict.OFTEN:
                await asyncio.sleep(min(refused.seconds, _LONGEST_REST))  # so that refusals cannot be had faster
            return refused.verdict
        with server:
            verdict = Verdict.ENDED
            try:
                relay = Relay(client, server, flow, self._settings)
                verdict = await self._connected(client, request, early, relay=relay)
            finally:
                if verdict in _CUT_OFF:
                    reset(client, server)
            return verdict

    async def _asked(self, client: socket.socket, flow: Flow) -> tuple[Request, bytes]:
        """The request, and what came after its head. Raises `Refused`."""
        settings = self._settings
        head, early = await read_head(client, most=settings.header_size, seconds=settings.header_timeout)
        request = read_request(head)
        flow.method, flow.host, flow.port = request.method, request.host, request.port
        if early and request.method != "CONNECT":
            raise Refused(Verdict.MALFORMED, "A connection carries one request, without a body.")
        if request.method != "CONNECT" and self._rules.wants_tls(request.port):
            raise Refused(Verdict.PLAIN, "Use https://, which goes through a tunnel.")
        return request, early

    async def _connected(self, client: socket.socket, request: Request, early: bytes, *, relay: Relay) -> Verdict:
        if request.method == "CONNECT":
            verdict = await self._tunnel(client, request, early, relay=relay)
        else:
            verdict = await relay.answer(request.forwarded())
        if verdict is Verdict.DONE:
            await part(client)
        return verdict

    async def _tunnel(self, client: socket.socket, request: Request, early: bytes, *, relay: Relay) -> Verdict:
        await asyncio.get_running_loop().sock_sendall(client, _OPENED)
        if not self._rules.wants_tls(request.port):
            return await relay.tunnel(early)
        first = await self._first(client, early)
        verdict = _judged(read_hello(first), request.host) if first else Verdict.SLOW
        if verdict is None:
            return await relay.tunnel(first)
        await part(client, _last_words(verdict, self._rules))
        return verdict

    async def _first(self, client: socket.socket, early: bytes) -> bytes:
        """What the client says first, as far as a hello reaches; nothing when that takes too long."""
        loop, data = asyncio.get_running_loop(), early
        try:
            async with asyncio.timeout(self._settings.header_timeout):
                while read_hello(data) is Unread.INCOMPLETE and len(data) < LONGEST:
                    received = await loop.sock_recv(client, LONGEST - len(data))
                    if not received:
                        raise ConnectionResetError("no hello")
                    data += received
        except TimeoutError:
            return b""
        return data


def _judged(hello: Hello | Unread, host: str) -> Verdict | None:
    """Why this is not passed on; None if it is. TLS has no names for addresses."""
    if isinstance(hello, Unread):
        return Verdict.PLAIN
    wanted = {"", host} if is_address(host) else {host}
    return None if hello.server_name in wanted and not hello.hidden else Verdict.NAME


def _last_words(verdict: Verdict, rules: Rules) -> bytes:
    if verdict is Verdict.NAME:
        return ALERT
    return answer(Refused(verdict), rules) if verdict is Verdict.PLAIN else b""
