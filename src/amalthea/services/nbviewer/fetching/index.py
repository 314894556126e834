"""What is known of URLs, in the site's store, so that other sites can show a copy when a source is down.

A body stands once, under the hash of its bytes: `nbviewer/blob/<sha256>`. What a site knows of a URL is its
own object: `nbviewer/seen/<site>/<sha256 of the URL>`. Any site reads all of them, its own first. It believes no bytes
that do not have the hash they are asked for by, and nobody who says that he was at the source later than now.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from amalthea.model.clock import Clock
from amalthea.model.errors import ObjectExists, ObjectMissing, StoreError
from amalthea.model.store import ObjectStore
from amalthea.model.wire import decode, encode
from amalthea.services.nbviewer.instruments import Instruments

BLOBS = "nbviewer/blob/"
SEEN = "nbviewer/seen/"
_PATIENCE = 1.0
_SITES_AGE = timedelta(minutes=5)
_BEHIND_EVERY_HASH = "g"


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """The newest copy of a URL: `fetched` when its bytes came, `checked` when the source last vouched for it.

    An empty `digest` says that the source has withdrawn it. `link` is its `Link` header: where a list goes on.
    """

    url: str
    digest: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    size: int
    fetched: Annotated[datetime, Meta(tz=True)]
    checked: Annotated[datetime, Meta(tz=True)]
    etag: str = ""
    modified: str = ""
    link: str = ""


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Index:
    """The objects in the store. A store that fails is counted, and costs no visitor his page."""

    def __init__(self, store: ObjectStore, site: str, *, clock: Clock, instruments: Instruments) -> None:
        self._store = store
        self._site = site
        self._clock = clock
        self._failures = instruments.store_failures
        self._sites: tuple[str, ...] = (site,)
        self._sites_asked: datetime | None = None

    async def find(self, url: str) -> Copy | None:
        """What this site knows of `url`, else what another does."""
        name = hashlib.sha256(url.encode()).hexdigest()
        for site in await self._known_sites():
            body = await self._read(f"{SEEN}{site}/{name}")
            copy = self._parsed(body, url) if body is not None else None
            if copy is not None:
                return copy if copy.digest else None
        return None

    async def body(self, digest: str) -> bytes | None:
        """The bytes with that hash, or None where the store does not give them."""
        body = await self._read(BLOBS + digest)
        if body is None or await asyncio.to_thread(_hash, body) == digest:
            return body
        self._failures.labels("read").inc()
        await self._delete(BLOBS + digest)
        return None

    async def keep(self, copy: Copy, body: bytes | None) -> None:
        """Write the body, where there is a new one, and only then what is known."""
        name = hashlib.sha256(copy.url.encode()).hexdigest()
        try:
            if body is not None:
                await self._keep_body(copy.digest, body)
            await self._store.put(f"{SEEN}{self._site}/{name}", encode(copy).encode())
        except (StoreError, OSError):
            self._failures.labels("write").inc()

    async def _keep_body(self, digest: str, body: bytes) -> None:
        try:
            await self._store.put(BLOBS + digest, body, if_absent=True)
        except ObjectExists:
            return

    async def _delete(self, key: str) -> None:
        """Make room for the right bytes, which are written only where there are none."""
        try:
            await self._store.delete(key)
        except (StoreError, OSError):
            self._failures.labels("write").inc()

    async def _read(self, key: str) -> bytes | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._store.get(key)
        except ObjectMissing:
            return None
        except (StoreError, OSError, TimeoutError):
            self._failures.labels("read").inc()
            return None

    def _parsed(self, body: bytes, url: str) -> Copy | None:
        try:
            copy = decode(body, Copy)
        except msgspec.MsgspecError:
            self._failures.labels("read").inc()
            return None
        if copy.url != url:
            return None
        return msgspec.structs.replace(copy, checked=min(copy.checked, self._clock()))

    async def _known_sites(self) -> tuple[str, ...]:
        """The sites that know anything, this one first; asked for again now and then."""
        now = self._clock()
        if self._sites_asked is None or now - self._sites_asked > _SITES_AGE:
            self._sites_asked = now
            try:
                async with asyncio.timeout(_PATIENCE):
                    self._sites = await self._list_sites()
            except (StoreError, OSError, TimeoutError):
                self._failures.labels("list").inc()
        return self._sites

    async def _list_sites(self) -> tuple[str, ...]:
        """One listing step a site: each listing begins behind everything that the site before it has."""
        sites = [self._site]
        after = ""
        while site := await self._first_site(after):
            if site != self._site:
                sites.append(site)
            after = f"{SEEN}{site}/{_BEHIND_EVERY_HASH}"
        return tuple(sites)

    async def _first_site(self, after: str) -> str:
        listing = self._store.list(SEEN, after=after)
        try:
            async for found in listing:
                return found.key.removeprefix(SEEN).partition("/")[0]
        finally:
            if hasattr(listing, "aclose"):
                await listing.aclose()
        return ""
