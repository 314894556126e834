"""Which addresses are fetched: only what everybody on the internet could fetch as well.

A visitor names the URL, so this server must not become his way into the network it stands in. A name is
resolved once, every address it has must be global (with IPv4 inside IPv6 unwrapped first), and the
connection goes to an address that was judged, never to a second look-up. Host header and TLS name stay
those of the URL. It happens below the HTTP client, for each new connection, so a redirect cannot go round it.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore2

from amalthea.services.nbviewer.errors import Refused

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host name, as text; raises `OSError` when it has none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = IPv6Network("::/96")
_INSIDE_ALL_THE_SAME = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments; a cloud's metadata among them
            "168.63.129.16/32",  # another cloud's, under an address that looks public
            "192.88.99.0/24",  # relays of 6to4, which lead anywhere
            "3fff::/20",  # documentation
        ),
    )
)
_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody on the internet can reach."""
    try:
        ip = _unwrapped(ip_address(address))
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and (ip.is_site_local or ip in _LOCAL_NAT64):
        return False
    if any(ip in network for network in _INSIDE_ALL_THE_SAME):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64 or ip in _COMPATIBLE:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def is_odd_number(host: str) -> bool:
    """Whether a host is a number in another form than four decimal ones: `0x7f.1`, `2130706433`, `127.1`."""
    return bool(_ENDS_IN_A_NUMBER.search(host)) and _FOUR_NUMBERS.fullmatch(host) is None


class SystemResolver:
    """The machine's resolver, on threads of its own, so that slow names hold up nothing else."""

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """All addresses of `host`, in the system's order of preference."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


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
