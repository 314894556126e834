"""Lets go of the work of sessions whose time is over.

Deleting twice is as good as once, so every site sweeps everything. A session goes in two passes, at least `grace`
apart: first its manifests, after which nobody can begin to restore it, then its blobs. Whoever restored it before that
has had the time to write a manifest of his own, with blobs of his own, and then it lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime, timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.errors import StoreError
from amalthea.model.store import ObjectInfo, ObjectStore
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.calls import listed
from amalthea.services.tmpnb.work.cleaning import remove_below
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.keys import PREFIX, name_of, session_of, session_prefix, snapshots_prefix
from amalthea.services.tmpnb.work.manifests import is_ahead
from amalthea.services.tmpnb.work.ulid import moment


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a session: when its newest manifest was made, and when anything of it was last written."""

    session: str
    made: datetime | None
    touched: datetime


class Sweep:
    """Sweeps the whole store. `spared` names the sessions that live here; those elsewhere write manifests in time."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        clock: Clock,
        bounds: Bounds,
        instruments: Instruments,
        spared: Callable[[], Collection[str]] = tuple,
        every: float = 3600.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._bounds = bounds
        self._instruments = instruments
        self._spared = spared
        self._every = max(every, bounds.grace)

    async def run(self) -> None:
        """Every `every` seconds, and not more often than `grace`, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.once()

    async def once(self) -> int:
        """Sweep; how many objects went. A store that fails is counted, and asked again the next time."""
        gone = 0
        try:
            async for trace in self._traces():
                gone += await self._sweep(trace)
        except (StoreError, OSError):
            self._instruments.sweep_failures.inc()
        self._instruments.swept.inc(gone)
        return gone

    async def _sweep(self, trace: Trace) -> int:
        """Look once more before anything goes: the first look may be long past."""
        if not self._part(trace):
            return 0
        async for now in self._traces(session_prefix(trace.session)):
            if part := self._part(now):
                return await remove_below(self._store, part, patience=self._bounds.call)
        return 0

    def _part(self, trace: Trace) -> str:
        """Which of a session's objects may go: a prefix, or "" for none."""
        now = self._clock()
        if trace.session in self._spared():
            return ""
        if trace.made is not None:
            over = now - trace.made > timedelta(seconds=self._bounds.keep)
            return snapshots_prefix(trace.session) if over else ""
        return session_prefix(trace.session) if now - trace.touched > timedelta(seconds=self._bounds.grace) else ""

    async def _traces(self, prefix: str = PREFIX) -> AsyncIterator[Trace]:
        """One for each session; a listing is in the order of keys."""
        trace: Trace | None = None
        async for info in listed(self._store, prefix, patience=self._bounds.call):
            if (session := session_of(info.key)) is None:
                continue
            if trace is not None and trace.session != session:
                yield trace
                trace = None
            trace = self._with(info, trace or Trace(session=session, made=None, touched=info.modified))
        if trace is not None:
            yield trace

    def _with(self, info: ObjectInfo, trace: Trace) -> Trace:
        touched = max(trace.touched, info.modified)
        made = self._made(info)
        newest = max((when for when in (trace.made, made) if when is not None), default=None)
        return msgspec.structs.replace(trace, made=newest, touched=touched)

    def _made(self, info: ObjectInfo) -> datetime | None:
        """When a manifest was made; a time to come is not believed, or it would stay for ever."""
        if not info.key.startswith(snapshots_prefix(session_of(info.key) or "")) or not (name := name_of(info.key)):
            return None
        return info.modified if is_ahead(name, now=self._clock()) else moment(name.ulid)
