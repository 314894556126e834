"""Which addresses are on the public internet, and how names become addresses.

Where a stranger names the host, the server that connects must not become his way into the network it stands in. So
a name is resolved once, every address it has is judged here (with IPv4 inside IPv6 unwrapped first), and the
connection goes to an address that was judged, never to a second look-up.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

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
