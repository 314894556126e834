"""The way out of sessions, in the fleet file. The descriptions are the documentation."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated

import msgspec
from msgspec import Meta

from amalthea.model.units import ByteSize, Duration

_LABEL = "[A-Za-z0-9_-]+"
HostPattern = Annotated[
    str, Meta(pattern=rf"^((\*?\.)?{_LABEL}(\.{_LABEL})*|\[[0-9a-fA-F:.]+\])(:[0-9]{{1,5}})?$", max_length=260)
]
Port = Annotated[int, Meta(ge=1, le=65535)]
Network = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]

HOSTS = (
    "github.com",
    "codeload.github.com",
    "raw.githubusercontent.com",
    "objects.githubusercontent.com",
    "release-assets.githubusercontent.com",
    "media.githubusercontent.com",
    "gist.github.com",
    "gist.githubusercontent.com",
    "gitlab.com",
    "codeberg.org",
    "bitbucket.org",
    "huggingface.co",
    "*.hf.co",
    "zenodo.org",
)


class EgressSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where sessions may connect to, and how much of it."""

    hosts: Annotated[
        tuple[HostPattern, ...],
        Meta(
            description="The hosts that sessions reach, by HTTPS on port 443 and plain HTTP on port 80; none when "
            "empty. `*.` or `.` in front stands for every name below one, but not for itself. `host:port` opens that "
            "port of a host instead.",
            examples=[["github.com", "*.example.edu", "git.example.edu:8443"]],
        ),
    ] = HOSTS
    tls_ports: Annotated[
        tuple[Port, ...],
        Meta(
            description="Ports, besides 443, through which nothing goes but TLS that asks for the name of the host, so "
            "that a host of the list is no way to its neighbours. What goes through other ports that the list opens is "
            "not looked into.",
            examples=[[8443]],
        ),
    ] = ()
    indexes: Annotated[
        bool,
        Meta(
            description="Let sessions reach the package indexes that pip on the site's machine is set up to use, "
            "besides `hosts`.",
            examples=[False],
        ),
    ] = True
    networks: Annotated[
        tuple[Network, ...],
        Meta(
            description="Networks that sessions may reach though they are not on the internet, such as that of your "
            "own package mirror: hosts of the list may have addresses there, and ports 80 and 443 of such an address "
            "are reached without a name. Link-local addresses and the metadata of clouds stay closed.",
            examples=[["10.4.7.0/28"]],
        ),
    ] = ()
    connections: Annotated[
        int, Meta(description="How many connections one session may have open.", ge=1, le=1024, examples=[32])
    ] = 32
    connections_per_minute: Annotated[
        int,
        Meta(
            description="How many connections one session may begin in a minute, and at once after a quiet one.",
            ge=1,
            examples=[240],
        ),
    ] = 240
    rate: Annotated[
        ByteSize,
        Meta(
            description="How much one session receives in a second once `burst` is used up. It is slowed down, not "
            "cut off.",
            examples=["4 MiB"],
        ),
    ] = ByteSize(4 * 2**20)
    upload_rate: Annotated[
        ByteSize, Meta(description="The same for what it sends, with the same `burst`.", examples=["512 KiB"])
    ] = ByteSize(512 * 2**10)
    burst: Annotated[
        ByteSize,
        Meta(description="How much goes at full speed after a quiet time, in each direction.", examples=["64 MiB"]),
    ] = ByteSize(64 * 2**20)
    upload_limit: Annotated[
        ByteSize,
        Meta(
            description="How much one session may send in all; then it reaches nothing any more.", examples=["256 MiB"]
        ),
    ] = ByteSize(256 * 2**20)
    header_size: Annotated[ByteSize, Meta(description="The longest head of a request.", examples=["16 KiB"])] = (
        ByteSize(16 * 2**10)
    )
    header_timeout: Annotated[
        Duration,
        Meta(
            description="How long a session may take to say what it wants: the head of its request, and then the "
            "first message of TLS.",
            examples=["10 s"],
        ),
    ] = Duration(10)
    connect_timeout: Annotated[
        Duration,
        Meta(
            description="The longest that finding a host's addresses may take, and again connecting to it.",
            examples=["10 s"],
        ),
    ] = Duration(10)
    idle_timeout: Annotated[
        Duration,
        Meta(description="How long a connection may stay open while nothing goes either way.", examples=["2 min"]),
    ] = Duration(120)

    def __post_init__(self) -> None:
        for name in ("rate", "upload_rate", "burst", "upload_limit", "header_size"):
            if getattr(self, name) < 1024:
                raise ValueError(f"`{name}` has to be 1 KiB at least")
        for name in ("header_timeout", "connect_timeout", "idle_timeout"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` has to be more than 0 s")
        for pattern in self.hosts:
            port = pattern.rpartition("]")[2].rpartition(":")[2]
            if ":" in pattern.rpartition("]")[2] and not 1 <= int(port) <= 65535:
                raise ValueError(f"`hosts` names a port that there is not: {pattern}")
        for network in self.networks:
            ip_network(network)
