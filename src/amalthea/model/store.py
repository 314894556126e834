"""Bytes by key: the contract of a store.

No object ever has two writers: it is *immutable* (a content hash or a ULID names it) or *owned* (one site
writes it). So two copies of a store are merged by union, and nothing here needs a lock or a leader.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

import msgspec

from amalthea.model.errors import InvalidKey

KEY_BYTES = 512
PART_BYTES = 200
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


class ObjectInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing says of one object. `etag` changes when the bytes change."""

    key: str
    size: int
    etag: str
    modified: datetime


class ObjectStore(Protocol):
    """Bytes by key. A wrapper (retry, replication, a cache) is a store too."""

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """Keep `body` under `key` and return its etag; durable when it returns.

        With `if_absent`, exactly one of several writers succeeds; the others get `ObjectExists`.
        Raises `InvalidKey`, `StoreUnavailable`.
        """
        ...

    async def get(self, key: str) -> bytes:
        """The whole object. Raises `ObjectMissing`, `InvalidKey`, `StoreUnavailable`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error. Raises `InvalidKey`, `StoreUnavailable`."""
        ...

    def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """Objects whose key starts with `prefix`, ordered by key (by code point), from behind `after`.

        Passing the last key seen as `after` resumes a listing that broke off.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections and threads; whoever opened the store calls it."""
        ...


def check_key(key: str) -> str:
    """Return `key` if every store takes it, else raise `InvalidKey`.

    A key is parts joined by `/`: no part is empty, `.` or `..`, begins with a dot or holds a control
    character, a backslash or a lone surrogate; at most 200 bytes a part and 512 in all.
    """
    if _PLAIN.fullmatch(key) and len(key) <= PART_BYTES:
        return key
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidKey("the key is not text", where=repr(key)) from None
    if not 0 < size <= KEY_BYTES:
        raise InvalidKey(f"a key has 1 to {KEY_BYTES} bytes, this one {size}", where=repr(key[:80]))
    for part in key.split("/"):
        if not part or part.startswith("."):
            raise InvalidKey("a part of the key is empty or begins with a dot", where=repr(key))
        if len(part.encode()) > PART_BYTES:
            raise InvalidKey(f"a part of the key has more than {PART_BYTES} bytes", where=repr(key))
    if "\\" in key or any(ord(c) < 32 or ord(c) == 127 for c in key):
        raise InvalidKey("the key holds a backslash or a control character", where=repr(key))
    return key
