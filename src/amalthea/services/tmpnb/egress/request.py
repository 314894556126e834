"""The head of a request, read strictly.

Two programs that read one request in two ways are how one is smuggled past the other. So whatever could be read in a
second way is refused here, and what is sent on is written anew from what was understood. A connection carries one
request, which has no body; what comes after it is either the tunnel's or nobody's.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv6Address

import msgspec

from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.refusing import Refused

_END = re.compile(rb"\r?\n\r?\n")  # more than is accepted, so that what is refused need not wait for its timeout
_LINE = re.compile(r"([A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.([01])")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")
_TARGET = re.compile(r"http://([^/?#]+)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_MOST_FIELDS = 100
_FOR_THIS_HOP = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "upgrade", "via"}
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a session asks for. `method` is CONNECT, GET or HEAD; `path`, with the query, is empty for CONNECT.

    `host` is in lower case, without a dot at its end or brackets. `fields` are those to send on, names as they came.
    """

    method: str
    host: str
    port: int
    path: str = ""
    fields: Sequence[tuple[str, str]] = ()

    def forwarded(self) -> bytes:
        """The head as it is sent to the host."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: {name}" + (f":{self.port}" if self.port != 80 else ""),
            *(f"{name}: {value}" for name, value in self.fields),
            "Via: 1.1 amalthea",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def read_head(client: socket.socket, *, most: int, seconds: float) -> tuple[bytes, bytes]:
    """The head of a request with its empty line, and what came after it.

    Raises `Refused` when it is too long or too slow, `ConnectionError` when the client goes away before its end.
    """
    data, seen = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            while (end := _END.search(data, max(0, seen - 3))) is None:
                seen = len(data)
                if seen >= most:
                    raise Refused(Verdict.LARGE, f"It may have {most} bytes.")
                received = await asyncio.get_running_loop().sock_recv(client, most - seen)
                if not received:
                    raise ConnectionResetError("no request")
                data += received
    except TimeoutError:
        raise Refused(Verdict.SLOW, f"There was none after {seconds:g} s.") from None
    return bytes(data[: end.end()]), bytes(data[end.end() :])


def read_request(head: bytes) -> Request:
    """Understand a head, or raise `Refused`: nothing else, whatever the bytes."""
    line, *rest = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    found = _LINE.fullmatch(line)
    if found is None or len(rest) > _MOST_FIELDS:
        raise _malformed("A request line is METHOD, target, HTTP/1.1, with one space between them, and CRLF.")
    fields = [_field(each) for each in rest]
    method, target = found[1].upper(), found[2]
    if method != found[1] or method not in ("CONNECT", "GET", "HEAD"):
        raise Refused(Verdict.METHOD, "Send anything else through a tunnel, by HTTPS.")
    host, port, path = _tunnel(target) if method == "CONNECT" else _plain(target)
    _check_host(fields, host, port, required=found[3] == "1", tunnel=method == "CONNECT")
    _check_no_body(fields)
    return Request(method=method, host=host, port=port, path=path, fields=_end_to_end(fields))


def _tunnel(target: str) -> tuple[str, int, str]:
    host, port = _authority(target)
    if not port:
        raise _malformed("CONNECT needs a host and a port.")
    if port == 80:
        raise Refused(Verdict.METHOD, "Plain HTTP goes through this proxy by GET http://..., not through a tunnel.")
    return host, port, ""


def _plain(target: str) -> tuple[str, int, str]:
    found = _TARGET.fullmatch(target)
    if found is None:
        raise _malformed("This is a proxy: the target of GET is a whole URL, beginning with http://.")
    host, port = _authority(found[1])
    return host, port or 80, (found[2] or "/") + (found[3] or "")


def _authority(text: str) -> tuple[str, int]:
    """Host and port, which is 0 where there is none."""
    found = _AUTHORITY.fullmatch(text)
    if found is None or (found[2] and not 0 < int(found[2]) < 65536):
        raise _malformed("A host is a name with ASCII letters, digits and hyphens, perhaps with a port.")
    host = found[1].lower()
    if host.startswith("["):
        return _bracketed(host[1:-1]), int(found[2] or 0)
    host = host.removesuffix(".")
    if len(host) > 253 or _NAME.fullmatch(host) is None:
        raise _malformed("A host is a name of labels with a dot between them.")
    return host, int(found[2] or 0)


def _bracketed(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise _malformed("What stands in brackets is no IPv6 address.") from None


def _field(line: str) -> tuple[str, str]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise _malformed("A header is a name, a colon and a value on one line.")
    return found[1], found[2].strip(" \t")


def _check_host(fields: Sequence[tuple[str, str]], host: str, port: int, *, required: bool, tunnel: bool) -> None:
    """There is one Host, and it says the same as the target."""
    said = [value for name, value in fields if name.lower() == "host"]
    if len(said) > 1 or (required and not said):
        raise _malformed("There has to be one Host header.")
    for value in said:
        named, its_port = _authority(value)
        if named != host or (its_port or (port if tunnel else 80)) != port:
            raise _malformed("The Host header names another host than the target.")


def _check_no_body(fields: Sequence[tuple[str, str]]) -> None:
    for name, value in fields:
        if name.lower() == "transfer-encoding" or (name.lower() == "content-length" and value != "0"):
            raise _malformed("A body is not sent on; use HTTPS for that.")


def _end_to_end(fields: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Without those that are between a client and its proxy."""
    named = {
        part.strip().lower() for name, value in fields if name.lower() == "connection" for part in value.split(",")
    }
    dropped = _FOR_THIS_HOP | named
    return [
        (name, value) for name, value in fields if name.lower() not in dropped and not name.lower().startswith("proxy-")
    ]


def _malformed(detail: str) -> Refused:
    return Refused(Verdict.MALFORMED, detail)
