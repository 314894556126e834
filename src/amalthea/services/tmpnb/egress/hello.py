"""The first message of TLS, read for the name it asks for (RFC 8446, 4.1.2; RFC 6066, 3).

It may lie in pieces in several records. Nothing here raises, whatever the bytes: they are a stranger's.
"""

from __future__ import annotations

from enum import Enum

import msgspec

LONGEST = 16 * 2**10
"""Bytes of a hello with its record headers; those of browsers, with keys against quantum computers, have 2 KiB."""
_MOST_RECORDS = 64
_HANDSHAKE, _CLIENT_HELLO, _HOST_NAME = 22, 1, 0
_SERVER_NAME = 0
_HIDING = frozenset({0xFE0D, 0xFFCE})  # encrypted hello, and the encrypted name that was before it


class Unread(Enum):
    """Why there is no hello: more bytes are needed, or these are something else."""

    INCOMPLETE = "incomplete"
    FOREIGN = "foreign"


class Hello(msgspec.Struct, frozen=True):
    """The name that is asked for, in lower case, or "" for none; `hidden` when there may be another, encrypted."""

    server_name: str
    hidden: bool


class _Short(Exception):
    """A length that leads out of its field."""


class _Cursor:
    """Reads fields one after another. Raises `_Short`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise _Short
        self._at += count
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def end(self) -> None:
        if self:
            raise _Short


def read_hello(data: bytes) -> Hello | Unread:
    """The hello that `data` begins with, whatever follows it."""
    message = _message(data)
    if isinstance(message, Unread):
        return message
    try:
        return _hello(message)
    except (_Short, UnicodeDecodeError):
        return Unread.FOREIGN


def _message(data: bytes) -> bytes | Unread:
    """The body of the first handshake message, put together from its records."""
    message, at = b"", 0
    for _ in range(_MOST_RECORDS):
        head = data[at : at + 5]
        length = int.from_bytes(head[3:5], "big")
        if head[:1] not in (b"", bytes([_HANDSHAKE])) or head[1:2] not in (b"", b"\x03"):
            return Unread.FOREIGN
        if len(head) < 5:
            return Unread.INCOMPLETE
        if not 0 < length <= 2**14:
            return Unread.FOREIGN
        message += data[at + 5 : at + 5 + length]
        at += 5 + length
        size = int.from_bytes(message[1:4], "big")
        if message[:1] not in (b"", bytes([_CLIENT_HELLO])) or (len(message) >= 4 and size > LONGEST):
            return Unread.FOREIGN
        if len(message) >= 4 + size and len(message) >= 4:
            return message[4 : 4 + size]
    return Unread.FOREIGN


def _hello(message: bytes) -> Hello:
    cursor = _Cursor(message)
    cursor.take(2 + 32)  # version and random bytes
    for width in (1, 2, 1):  # session, ciphers, compression
        cursor.vector(width)
    extensions = _extensions(cursor)
    name = _server_name(extensions[_SERVER_NAME]) if _SERVER_NAME in extensions else ""
    return Hello(name.lower(), not _HIDING.isdisjoint(extensions))


def _extensions(cursor: _Cursor) -> dict[int, bytes]:
    """By their number. One that comes twice is as bad as none: servers differ in which they take."""
    if not cursor:
        return {}
    block = _Cursor(cursor.vector(2))
    cursor.end()
    found: dict[int, bytes] = {}
    while block:
        kind, body = block.number(2), block.vector(2)
        if kind in found:
            raise _Short
        found[kind] = body
    return found


def _server_name(body: bytes) -> str:
    """The one host name in the list of names; more than one would leave it to the server which it takes."""
    outer = _Cursor(body)
    names = _Cursor(outer.vector(2))
    outer.end()
    kind, name = names.number(1), names.vector(2)
    names.end()
    if kind != _HOST_NAME or not name:
        raise _Short
    return name.decode("ascii")
