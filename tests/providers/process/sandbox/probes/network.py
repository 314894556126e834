"""The network: any way out of it but the one that was made."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .attempts import worked


def answered(addresses: Sequence[tuple[str, int]]) -> list[str]:
    """Which of them a connection of TCP reaches, or a packet of UDP without being told that nobody is there."""
    found = []
    for host, port in addresses:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for kind, speak in ((socket.SOCK_STREAM, _connect), (socket.SOCK_DGRAM, _send)):
            with socket.socket(family, kind) as one:
                one.settimeout(2)
                found += [f"{host} {port} {kind.name}"] * worked(speak, one, (host, port))
    return found


def _connect(one: socket.socket, to: tuple[str, int]) -> None:
    one.connect(to)


def _send(one: socket.socket, to: tuple[str, int]) -> None:
    """A port that is closed says so to whoever waits for an answer."""
    one.connect(to)
    one.send(b"hello")
    one.recv(1)


def neighbours(names: Sequence[str]) -> list[str]:
    """Which sockets of the machine's own can be connected to; their names are in hex, with a zero for abstract ones."""
    found = []
    for name in map(bytes.fromhex, names):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            with socket.socket(socket.AF_UNIX, kind) as one:
                found += [f"{name!r} {kind.name}"] * worked(one.connect, name)
    return found


def rare_sockets() -> list[str]:
    """Kinds of sockets that see or make packets of their own, or reach what is no network."""
    kinds: dict[str, tuple[int, int, int]] = {
        "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "raw 6": (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
        "packet": (17, socket.SOCK_RAW, 0),
        "vsock": (40, socket.SOCK_STREAM, 0),
        "crypto": (38, socket.SOCK_SEQPACKET, 0),
        "xdp": (44, socket.SOCK_RAW, 0),
        "can": (29, socket.SOCK_RAW, 1),
        "netfilter": (16, socket.SOCK_RAW, 12),
        "audit": (16, socket.SOCK_RAW, 9),
        "uevent": (16, socket.SOCK_DGRAM, 15),
        "sctp": (socket.AF_INET, socket.SOCK_STREAM, 132),
    }
    return [name for name, words in kinds.items() if worked(_made, *words)]


def _made(family: int, kind: int, protocol: int) -> None:
    socket.socket(family, kind, protocol).close()


def seen() -> dict[str, Any]:
    """Interfaces, routes that lead beyond them, what a name leads to, and whether an interface can be made."""
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    routes += [line for line in Path("/proc/net/ipv6_route").read_text().splitlines() if not line.endswith(" lo")]
    return {
        "interfaces": [name for _, name in socket.if_nameindex()],
        "routes": routes,
        "resolved": worked(socket.getaddrinfo, "example.org", 80),
        "made": _link_made() == 0,
    }


def _link_made() -> int:
    """Ask the kernel for a dummy interface; the error that it answers."""
    kind = b"\x09\x00\x01\x00dummy\x00\x00\x00"
    body = bytes(16) + (len(kind) + 4).to_bytes(2, "little") + b"\x12\x00" + kind
    head = (16 + len(body)).to_bytes(4, "little") + b"\x10\x00\x05\x06" + bytes(8)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asker:
        asker.send(head + body)
        return -int.from_bytes(asker.recv(4096)[16:20], "little", signed=True)
