"""Finished pages and frames in the site's store: what one process made, every process of every site can show.

    nbviewer/page/<key>      a page, under the hash of all that shapes it
    nbviewer/body/<key>      a rendered notebook, under the hash of its bytes and of the options
    nbviewer/frame/<digest>  a document of the content origin, under the hash of its bytes

Both are immutable: whoever makes one makes the same bytes, so it does not matter who writes it, or how often. An
object is a line that says what it is, the hash of the rest, and the rest. One that is damaged counts as missing and
is written again. Old ones go by `sweep`.

Whoever can write to the store of one site can put a page there, as whoever runs a site can answer for all of them: they
are trusted with what a page says. They are not trusted with more. A page is HTML or plain text and nothing that a
browser would run, its policy and its ETag are not taken from the store, a frame is believed only where its bytes have
the hash it is asked for by, and nothing is unpacked to more than it says.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from amalthea.model.errors import ObjectMissing, StoreError
from amalthea.model.store import ObjectStore
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.press.packing import Packed, unpack

PAGES = "nbviewer/page/"
BODIES = "nbviewer/body/"
FRAMES = "nbviewer/frame/"
_MARK = b"amalthea nbviewer 1\n"
_HASH_BYTES = 32
_READ_SECONDS = 0.5
_WRITE_SECONDS = 10.0

S = TypeVar("S", bound=msgspec.Struct)
Aware = Annotated[datetime, Meta(tz=True)]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page and its ETag. `extension` is that of a file to keep, such as `.py`."""

    etag: str
    packed: Packed
    media_type: Annotated[str, Meta(pattern=r"^text/(html|plain)\Z")] = "text/html"
    extension: Annotated[str, Meta(pattern=r"^(\.[A-Za-z0-9+_-]{1,20})?\Z")] = ""
    made: Aware | None = None


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered notebook, as `Made.body` has it. One without bytes says that it depends on the notebook's place."""

    body: bytes
    made: Aware

    def __len__(self) -> int:
        return len(self.body)


class Shelf:
    """Reads and writes them. A store that fails is counted, and costs no visitor his page."""

    def __init__(self, store: ObjectStore, instruments: Instruments) -> None:
        self._store = store
        self._failures = instruments.store_failures

    async def page(self, key: str) -> Page | None:
        """The page with this key, where there is one."""
        page = await self._read(PAGES + key, Page)
        return msgspec.structs.replace(page, etag=etag(key)) if page is not None else None

    async def body(self, key: str) -> Body | None:
        """The rendered notebook with this key, where there is one."""
        return await self._read(BODIES + key, Body)

    async def frame(self, digest: str) -> Packed | None:
        """The document with this hash, where there is one."""
        packed = await self._read(FRAMES + digest, Packed)
        if packed is None or await asyncio.to_thread(_has_hash, packed, digest):
            return packed
        self._failures.labels("read").inc()
        return None

    async def keep_page(self, key: str, page: Page) -> None:
        """Write a page."""
        await self._write(PAGES + key, page)

    async def keep_body(self, key: str, body: Body) -> None:
        """Write a rendered notebook."""
        await self._write(BODIES + key, body)

    async def keep_frame(self, digest: str, packed: Packed) -> None:
        """Write a frame's document."""
        await self._write(FRAMES + digest, packed)

    async def _read(self, key: str, kind: type[S]) -> S | None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return decoded(await self._store.get(key), kind)
        except ObjectMissing:
            return None
        except (StoreError, OSError, TimeoutError, msgspec.MsgspecError):
            self._failures.labels("read").inc()
            return None

    async def _write(self, key: str, value: msgspec.Struct) -> None:
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                await self._store.put(key, encoded(value))
        except (StoreError, OSError, TimeoutError):
            self._failures.labels("write").inc()


def etag(key: str) -> str:
    """The ETag of the page with this key."""
    return f'W/"{key}"'


def _has_hash(packed: Packed, digest: str) -> bool:
    try:
        return hashlib.sha256(unpack(packed)).hexdigest() == digest
    except zlib.error:
        return False


def encoded(value: msgspec.Struct) -> bytes:
    """An object as it is kept."""
    body = msgspec.msgpack.encode(value)
    return b"".join((_MARK, hashlib.sha256(body).digest(), body))


def decoded(body: bytes, kind: type[S]) -> S:
    """What was kept. Raises `msgspec.MsgspecError` for anything else."""
    start = len(_MARK) + _HASH_BYTES
    if not body.startswith(_MARK) or hashlib.sha256(body[start:]).digest() != body[len(_MARK) : start]:
        raise msgspec.DecodeError("the object is damaged, or of another version")
    return msgspec.msgpack.decode(body[start:], type=kind)
