"""Which headers go through to a session's server, and which come back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from amalthea.model.edge import HOP_HEADER, SITE_HEADER

Pair = tuple[bytes, bytes]
COOKIE = "tmpnb-session"
"""Begins the name of each cookie of ours; none of them is shown to a session."""

_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
     b"trailer", b"transfer-encoding", b"upgrade")
)  # fmt: skip
_OURS = frozenset((HOP_HEADER.encode(), SITE_HEADER.encode(), b"expect"))
_BEYOND = frozenset(
    (b"service-worker-allowed", b"clear-site-data", b"strict-transport-security", b"alt-svc", b"public-key-pins",
     b"access-control-allow-origin", b"access-control-allow-credentials", b"origin-agent-cluster", b"nel",
     b"report-to", b"reporting-endpoints", b"set-login", b"server", b"date")
)  # fmt: skip
_NEEDED = frozenset((b"host", b"content-length", b"content-type", b"cookie", b"set-cookie", b"authorization"))
_ODD = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def inwards(headers: Iterable[Pair], *, plain: bool) -> list[Pair]:
    """A request's headers for the session's server; a `plain` one is answered without compression."""
    headers = list(headers)
    left_out = _hop_by_hop(headers) | _OURS | ({b"accept-encoding"} if plain else set())
    passed = list[Pair]()
    for name, value in headers:
        if name in left_out:
            continue
        if name == b"cookie":
            value = _without_ours(value)
            if not value:
                continue
        passed.append((name, value))
    return passed


def outwards(headers: Iterable[Pair], *, base: bytes) -> list[Pair]:
    """An answer's headers for the visitor: nothing that reaches beyond `base`, the session's own path."""
    headers = [(name.lower(), value) for name, value in headers if not _ODD.search(value)]
    left_out = _hop_by_hop(headers) | _OURS | _BEYOND
    passed = list[Pair]()
    for name, value in headers:
        if name in left_out:
            continue
        if name == b"set-cookie":
            value = _confined(value, base)
            if not value:
                continue
        passed.append((name, value))
    return passed


def _hop_by_hop(headers: Iterable[Pair]) -> set[bytes]:
    """The names of what is for the next connection alone: the known ones, and those that `Connection` names."""
    named = (part.strip().lower() for name, value in headers if name == b"connection" for part in value.split(b","))
    return {*_HOP_BY_HOP, *(name for name in named if name not in _NEEDED)}


def _without_ours(value: bytes) -> bytes:
    cookies = (cookie.strip() for cookie in value.split(b";"))
    return b"; ".join(cookie for cookie in cookies if not cookie.startswith(COOKIE.encode()))


def _confined(value: bytes, base: bytes) -> bytes:
    """A cookie, for this session's path; empty for one that is meant for other hosts, or imitates ours."""
    pair, *attributes = (part.strip() for part in value.split(b";"))
    kept, path = [pair], base
    for attribute in attributes:
        name, _, said = attribute.partition(b"=")
        match name.strip().lower():
            case b"domain":
                return b""
            case b"path":
                path = said.strip() if said.strip().startswith(base) else base
            case _:
                kept.append(attribute)
    # A cookie without a name is sent back as its value alone, which may look like another cookie.
    if pair.lstrip(b"= \t").startswith((COOKIE.encode(), b"__Host-", b"__Secure-")):
        return b""
    return b"; ".join([*kept, b"Path=" + path])
