"""Which addresses are fetched: only what everybody on the internet could fetch as well.

A visitor names the URL, so this server must not become his way into the network it stands in. A name is
resolved once, every address it has must be global (with IPv4 inside IPv6 unwrapped first), and the
connection goes to an address that was judged, never to a second look-up. Host header and TLS name stay
those of the URL. It happens below the HTTP client, for each new connection, so a redirect cannot go round it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import httpcore2

from amalthea.services.nbviewer.errors import Refused
from amalthea.web.addresses import Resolve, is_odd_number, is_public


class Gate:
    """Says which hosts and ports are fetched. `allowed` holds `name` or `name:port`, `denied` names."""

    def __init__(self, *, allowed: Iterable[str] = (), denied: Iterable[str] = (), ports: Iterable[int] = ()) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._denied = frozenset(host.lower() for host in denied)
        self._ports = frozenset(ports)

    def trusts(self, host: str, port: int) -> bool:
        """Whether whoever runs this server named the host, so that its addresses are not judged."""
        return host in self._allowed or f"{host}:{port}" in self._allowed

    def admits(self, host: str, port: int) -> bool:
        """Whether the name and the port are fine; the addresses are judged later."""
        if host.rstrip(".") in self._denied:
            return False
        if f"{host}:{port}" in self._allowed:
            return True
        return port in self._ports and (host in self._allowed or not is_odd_number(host))


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Opens the client's connections: resolve, judge, and connect to what was judged."""

    def __init__(self, gate: Gate, resolve: Resolve) -> None:
        self._gate = gate
        self._resolve = resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first address that answers. Raises `Refused` before anything is sent."""
        failure: Exception | None = None
        for address in await self._addresses(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("the name has no address")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        if not self._gate.admits(host, port):
            raise Refused(host)
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise Refused(host) from None
        if not self._gate.trusts(host, port) and not all(is_public(address) for address in addresses):
            raise Refused(host)
        return addresses
