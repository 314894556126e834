"""Which hosts, ports and addresses a session may connect to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from amalthea.services.tmpnb.egress.settings import EgressSettings
from amalthea.web.addresses import is_public

_USUAL_PORTS = frozenset({80, 443})

_NEVER = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "169.254.0.0/16",  # link-local, with the metadata of most clouds
            "100.100.100.200/32",  # metadata, too, and the next three
            "168.63.129.16/32",
            "192.0.0.192/32",
            "fd00:ec2::/32",
            "224.0.0.0/3",  # multicast, reserved, broadcast
            "::/128",
            "fe80::/10",
            "ff00::/8",
        ),
    )
)
"""Closed whatever the settings say: who allows a wide private network does not mean these."""


class Rules:
    """The settings, made ready to be asked. `contact` is who is named in refusals: an email address or a URL."""

    def __init__(self, settings: EgressSettings, *, contact: str = "") -> None:
        self.settings = settings
        self.contact = contact
        self._tls_ports = frozenset({443, *settings.tls_ports})
        entries = [_entry(pattern) for pattern in settings.hosts]
        self._exact = frozenset((host, port) for host, port in entries if not host.startswith("."))
        self._below = frozenset((host, port) for host, port in entries if host.startswith("."))
        self._networks = tuple(map(ip_network, settings.networks))

    def admits(self, host: str, port: int) -> bool:
        """Whether a host, in lower case and without a dot at its end, is on the list with this port."""
        ports = (port, 0) if port in _USUAL_PORTS else (port,)
        if is_address(host):
            return self.permits(host) and self._in_networks(host) and (0 in ports or (host, port) in self._exact)
        return any(
            (host, each) in self._exact or any((parent, each) in self._below for parent in _parents(host))
            for each in ports
        )

    def wants_tls(self, port: int) -> bool:
        """Whether nothing but TLS goes through a port, and that for the name of its host alone."""
        return port in self._tls_ports

    def permits(self, address: str) -> bool:
        """Whether an address that a listed name has is connected to."""
        ip = _address(address)
        if ip is None or any(ip in network for network in _NEVER):
            return False
        return self._in_networks(address) or is_public(address)

    def _in_networks(self, address: str) -> bool:
        ip = _address(address)
        if isinstance(ip, IPv6Address) and (ip.ipv4_mapped or ip.scope_id):
            return False
        return ip is not None and any(ip in network for network in self._networks)


def is_address(host: str) -> bool:
    """Whether a host is an IP address, without brackets."""
    return _address(host) is not None


def in_turn(addresses: Iterable[str]) -> list[str]:
    """IPv6 and IPv4 by turns, in their order otherwise: where one of the two leads nowhere, the other is tried soon."""
    families: dict[bool, list[str]] = {}
    for address in addresses:
        families.setdefault(":" in address, []).append(address)
    places = [(number, address) for family in families.values() for number, address in enumerate(family)]
    return [address for _, address in sorted(places, key=lambda place: place[0])]


def _entry(pattern: str) -> tuple[str, int]:
    """Host and port of one line of the list; 0 for the usual ports, a leading dot for every name below."""
    host, port = pattern.lower(), ""
    if ":" in pattern.rpartition("]")[2]:
        host, _, port = host.rpartition(":")
    ip = _address(host.strip("[]"))
    return (str(ip) if ip else host.removeprefix("*")), int(port or 0)


def _parents(host: str) -> Iterator[str]:
    """`.b.c` and `.c` for `a.b.c`."""
    while "." in host:
        host = host.partition(".")[2]
        yield f".{host}"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
