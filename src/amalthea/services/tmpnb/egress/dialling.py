"""From the name of a host to a connection with it.

The name is resolved once and every address it has is judged; one that is not permitted spoils them all. The
connection goes to an address that was judged, as a number, so nobody looks the name up a second time.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.refusing import Refused
from amalthea.services.tmpnb.egress.rules import Rules, in_turn, is_address
from amalthea.web.addresses import Resolve

_MOST_TRIED = 4


class Dialler:
    """Connects to what the rules let through. All it raises is `Refused`."""

    def __init__(self, rules: Rules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._seconds = float(rules.settings.connect_timeout)

    async def dial(self, host: str, port: int) -> socket.socket:
        """An open socket that does not block, for the caller to close."""
        if not self._rules.admits(host, port):
            raise Refused(Verdict.HOST, f"You asked for {host}:{port}.")
        addresses = in_turn(await self._addresses(host, port))[:_MOST_TRIED]
        for address in addresses:
            try:
                async with asyncio.timeout(self._seconds / len(addresses)):
                    return await _connected(address, port)
            except OSError:  # TimeoutError, too
                continue
        raise Refused(Verdict.UNREACHABLE, f"{host}:{port} was tried for {self._seconds:g} s at most.")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        if is_address(host):
            return [host]
        try:
            async with asyncio.timeout(self._seconds):
                addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise _nowhere(Verdict.UNRESOLVED, host)
        if not all(self._rules.permits(address) for address in addresses):
            raise _nowhere(Verdict.ADDRESS, host)
        return addresses


def _nowhere(verdict: Verdict, host: str) -> Refused:
    """One text for every reason, so that it tells nothing about a network."""
    return Refused(verdict, f"{host} has no address on the public internet that could be found just now.")


async def _connected(address: str, port: int) -> socket.socket:
    """Raises `OSError`."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made
