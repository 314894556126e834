"""Copies of what sources said: asked for again by condition, shown when the source is down.

The way of a URL: a copy younger than `fresh` is shown as it is. An older one is shown after its source has
vouched for it (304, no body) or sent a newer one. All who ask for one URL at the same time wait for one
request. Where there is a copy nobody waits longer than `patience`, and a source that fails costs nobody
his page: the copy is shown, with a note. Writing to the store happens behind the visitor's back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.crowds import FETCH, FLUSH, Crowds
from amalthea.services.nbviewer.errors import Denied, Missing, RateLimited, SourceError, Superseded, Unavailable
from amalthea.services.nbviewer.fetching.fetcher import Fetched
from amalthea.services.nbviewer.fetching.index import Copy, Index
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once

Ask = Callable[[Copy | None], Awaitable[Fetched]]
"""Asks the source, on the condition that the copy given is not the newest."""

_REST_AFTER_FAILURE = timedelta(seconds=10)
_VOUCH_AGAIN = timedelta(minutes=15)
_WRITES = 64
_ENTRY_BYTES = 700
_ENTRIES_BYTES = 16 * 2**20


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """`fresh`: seconds without asking; `patience`: seconds to wait where there is a copy."""

    fresh: float
    patience: float


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A copy; `stale` says why its source did not vouch for it just now, if it did not.

    `body` is there only when it has just come.
    """

    copy: Copy
    stale: str = ""
    body: bytes | None = None


class _Entry(msgspec.Struct):
    """What this process knows of a URL: the copy, when the store last heard of it, and the last failure."""

    copy: Copy
    stored: datetime
    failure: str = ""
    rest_until: datetime | None = None


class Cache:
    """The copies of one process, over those in the store."""

    def __init__(
        self,
        index: Index,
        *,
        memory: int,
        timing: Timing,
        clock: Clock,
        crowds: Crowds,
        instruments: Instruments,
    ) -> None:
        self._index = index
        self._crowds = crowds
        self._timing = timing
        self._clock = clock
        self._instruments = instruments
        self._entries: Memory[_Entry] = Memory(_ENTRIES_BYTES, lambda entry: _ENTRY_BYTES + len(entry.copy.url))
        self._bodies: Memory[bytes] = Memory(memory, len)
        self._once: Once[Held] = Once()
        self._writes: set[asyncio.Task[None]] = set()

    async def get(self, url: str, ask: Ask, *, flush: bool = False) -> Held:
        """The newest copy of `url` that can be had. Raises `SourceError` where there is none, `TooOften`."""
        entry = await self._entry(url)
        if flush:
            self._crowds.charge(FLUSH, "flush")
        if entry is None:
            if not self._once.running(url):
                self._crowds.charge(FETCH, "fetch")
            return await self._once.run(url, lambda: self._ask(url, None, ask))
        now = self._clock()
        if not flush:
            if now - entry.copy.checked < timedelta(seconds=self._timing.fresh):
                return Held(copy=entry.copy)
            if entry.rest_until is not None and now < entry.rest_until:
                return self._stale(entry, entry.failure)
        return await self._revalidated(entry, ask, patient=flush)

    async def exists(self, url: str, ask: Callable[[str], Awaitable[bool]]) -> bool:
        """Whether there is anything at `url`. To ask costs as much as to fetch. Raises `SourceError`, `TooOften`."""
        entry = await self._entry(url)
        if entry is not None and self._clock() - entry.copy.checked < timedelta(seconds=self._timing.fresh):
            return True
        self._crowds.charge(FETCH, "fetch")
        return await ask(url)

    async def body(self, held: Held, ask: Ask) -> bytes:
        """The bytes of a copy: from memory, the store, or else its source again.

        Raises `Superseded` where the source has other bytes by now, else `SourceError`.
        """
        digest, url = held.copy.digest, held.copy.url
        body = held.body or self._bodies.get(digest)
        if body is None and (body := await self._index.body(digest)) is not None:
            self._bodies.put(digest, body)
        if body is not None:
            return body
        again = await self._once.run((url, "whole"), lambda: self._ask(url, None, ask))
        if again.copy.digest != digest or again.body is None:
            raise Superseded("The notebook changed while it was being read.", where=url, hint="Load the page again.")
        return again.body

    async def aclose(self) -> None:
        """End requests under way; give writes a moment to finish."""
        await self._once.aclose()
        if self._writes:
            _, late = await asyncio.wait(self._writes, timeout=2)
            for task in late:
                task.cancel()

    async def settle(self) -> None:
        """Wait until everything that is being written has been."""
        while self._writes:
            await asyncio.wait(self._writes)

    async def _entry(self, url: str) -> _Entry | None:
        entry = self._entries.get(url)
        if entry is None:
            copy = await self._index.find(url)
            if copy is not None:
                entry = _Entry(copy=copy, stored=copy.checked)
                self._entries.put(url, entry)
        return entry

    async def _revalidated(self, entry: _Entry, ask: Ask, *, patient: bool) -> Held:
        copy = entry.copy
        task = self._once.start(copy.url, lambda: self._ask(copy.url, entry, ask))
        if not patient:
            await asyncio.wait({task}, timeout=self._timing.patience)
            if not task.done():
                return self._stale(entry, "The source is slow to answer.")
        try:
            return await asyncio.shield(task)
        except Unavailable as error:
            return self._stale(entry, error.message)

    def _stale(self, entry: _Entry, reason: str) -> Held:
        self._instruments.stale.inc()
        return Held(copy=entry.copy, stale=reason)

    async def _ask(self, url: str, entry: _Entry | None, ask: Ask) -> Held:
        try:
            fetched = await ask(entry.copy if entry else None)
        except SourceError as error:
            self._instruments.fetches.labels(str(error.status)).inc()
            self._failed(url, entry, error)
            raise
        self._instruments.fetches.labels("unchanged" if fetched.body is None else "changed").inc()
        if fetched.body is not None:
            return Held(copy=self._taken(url, entry, fetched, fetched.body), body=fetched.body)
        if entry is None:
            raise SourceError("The source answered 304 to a question without a condition.", where=url)
        return Held(copy=self._vouched(entry))

    def _failed(self, url: str, entry: _Entry | None, error: SourceError) -> None:
        """Rest where a source is in trouble; forget what it has withdrawn."""
        if entry is None:
            return
        if isinstance(error, Missing | Denied):
            self._entries.drop(url)
            self._write(msgspec.structs.replace(entry.copy, digest="", checked=self._clock()), None)
        elif isinstance(error, Unavailable):
            entry.failure = error.message
            entry.rest_until = self._clock() + _REST_AFTER_FAILURE
            if isinstance(error, RateLimited) and error.until is not None:
                entry.rest_until = max(entry.rest_until, error.until)

    def _taken(self, url: str, entry: _Entry | None, fetched: Fetched, body: bytes) -> Copy:
        """Remember a new body, and let the store know."""
        now = self._clock()
        same = entry is not None and entry.copy.digest == fetched.digest
        copy = Copy(
            url=url,
            digest=fetched.digest,
            size=len(body),
            fetched=entry.copy.fetched if entry is not None and same else now,
            checked=now,
            etag=fetched.etag,
            modified=fetched.modified,
            link=fetched.link,
        )
        self._bodies.put(copy.digest, body)
        self._entries.put(url, _Entry(copy=copy, stored=now))
        self._write(copy, body)
        return copy

    def _vouched(self, entry: _Entry) -> Copy:
        """Remember that nothing has changed; the store hears of it now and then."""
        now = self._clock()
        copy = msgspec.structs.replace(entry.copy, checked=now)
        late = now - entry.stored > _VOUCH_AGAIN
        self._entries.put(copy.url, _Entry(copy=copy, stored=now if late else entry.stored))
        if late:
            self._write(copy, None)
        return copy

    def _write(self, copy: Copy, body: bytes | None) -> None:
        """Keep it in the store, behind the visitor's back."""
        if len(self._writes) >= _WRITES:
            self._instruments.store_failures.labels("crowded").inc()
            return
        task = asyncio.create_task(self._index.keep(copy, body))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
