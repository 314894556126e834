"""The bytes of files, packed, under their hash; what is read back is what was kept, or an error."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import ParamSpec, TypeVar

import brotli

from amalthea.model.errors import ObjectMissing
from amalthea.model.store import ObjectStore
from amalthea.services.tmpnb.work.calls import listed, within
from amalthea.services.tmpnb.work.errors import BlobLost
from amalthea.services.tmpnb.work.keys import blob_key, blobs_prefix, digest_of
from amalthea.services.tmpnb.work.snapshot import SavedFile
from amalthea.services.tmpnb.work.why import Why

_QUALITY = 2  # faster than deflate, and smaller; bytes that do not pack pass at the speed of memory
_BY_THE_WAY = 2**15  # less than this is done sooner than a thread is found for it

P = ParamSpec("P")
T = TypeVar("T")


class Blobs:
    """The blobs of all sessions. Each call of `store` takes `patience` seconds at most."""

    def __init__(self, store: ObjectStore, *, patience: float) -> None:
        self._store = store
        self._patience = patience

    async def put(self, session: str, digest: str, body: bytes) -> None:
        """Keep plain bytes under their hash. Raises `StoreError`."""
        packed = await aside(len(body), _pack, body)
        await within(self._patience, self._store.put(blob_key(session, digest), packed))

    async def kept(self, session: str, wanted: Collection[str]) -> Mapping[str, int]:
        """The packed length of each of these hashes that is there: what is too large to be true is not fetched.

        Raises `StoreError`.
        """
        sizes: dict[str, int] = {}
        async for info in listed(self._store, blobs_prefix(session), patience=self._patience):
            if (digest := digest_of(info.key)) is not None and digest in wanted:
                sizes[digest] = info.size
        return sizes

    async def get(self, session: str, file: SavedFile, *, kept: Mapping[str, int]) -> bytes:
        """The plain bytes of a file. Raises `BlobLost`, `StoreUnavailable`."""
        key = blob_key(session, file.sha256)
        packed_size = kept.get(file.sha256)
        if packed_size is None:
            raise BlobLost(Why.MISSING, where=key)
        if packed_size > file.size + file.size // 64 + 1024:
            raise BlobLost(Why.DAMAGED, where=key)
        try:
            packed = await within(self._patience, self._store.get(key))
        except ObjectMissing:
            raise BlobLost(Why.MISSING, where=key) from None
        body = await aside(file.size, _unpack, packed, file)
        if body is None:
            raise BlobLost(Why.DAMAGED, where=key)
        return body


async def aside(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns: in a thread where it is about many bytes."""
    return work(*args, **kwargs) if size < _BY_THE_WAY else await asyncio.to_thread(work, *args, **kwargs)


def hashed(body: bytes) -> str:
    """The SHA-256 of bytes, in hex."""
    return hashlib.sha256(body).hexdigest()


def _pack(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=_QUALITY))


def _unpack(packed: bytes, file: SavedFile) -> bytes | None:
    """The bytes with the file's length and hash; None for any others, of which little more than that is unpacked."""
    try:
        body = bytes(brotli.Decompressor().process(packed, output_buffer_limit=file.size + 1))
    except brotli.error:
        return None
    return body if len(body) == file.size and hashed(body) == file.sha256 else None
