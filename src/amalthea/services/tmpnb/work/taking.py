"""How a snapshot is made: find what changed, put its bytes, look whether they held still, and put the manifest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Home, HomeFile
from amalthea.services.tmpnb.work.blobs import Blobs, aside, hashed
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.choosing import Choice, choose, omission, summary
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.keys import Name
from amalthea.services.tmpnb.work.manifests import Manifests, is_ahead
from amalthea.services.tmpnb.work.memory import Memory, Seen
from amalthea.services.tmpnb.work.snapshot import Omission, SavedFile, Snapshot
from amalthea.services.tmpnb.work.turns import in_turns
from amalthea.services.tmpnb.work.ulid import CHANCE_BYTES, TICK, moment, ulid
from amalthea.services.tmpnb.work.why import Why

_TIMES_ARE_EXACT_TO = timedelta(seconds=1)
_PER_FILE = 100  # bytes that take as long


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose files, where they are, and what else the manifest says."""

    session: str
    home: Home
    environment: str
    facts: Mapping[str, str]


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What every snapshot is made with."""

    site: str
    blobs: Blobs
    manifests: Manifests
    bounds: Bounds
    clock: Clock
    chance: Callable[[int], bytes]
    transfers: asyncio.Semaphore
    instruments: Instruments


class Taking:
    """One attempt. All raise `ProviderError` of the home and `StoreError`; what was put until then is not put again."""

    def __init__(self, means: Means, memory: Memory, subject: Subject) -> None:
        self._means = means
        self._memory = memory
        self._subject = subject
        self._now = means.clock()
        self._read: dict[str, Seen] = {}

    async def run(self) -> Snapshot | None:
        """The snapshot, written; None where nothing changed."""
        self._memory.begin(self._now)
        found = await self._subject.home.scan()
        choice = await aside(_PER_FILE * len(found), choose, found, self._means.bounds)
        if not self._unread(choice) and not self._differs(self._recalled(choice), choice.omitted):
            return None
        names = await self._means.manifests.names(self._subject.session)
        if self._memory.written() not in (None, *names):
            self._memory.distrust()
        unread = self._unread(choice)
        files = self._recalled(choice)
        await in_turns(self._keep, unread, workers=self._means.bounds.workers)
        omitted = [*choice.omitted, *await self._settle(unread, files)]
        return await self._write(files, omitted, names) if self._differs(files, omitted) else None

    def _unread(self, choice: Choice) -> Sequence[HomeFile]:
        return [file for file in choice.files if self._memory.recall(file) is None]

    def _recalled(self, choice: Choice) -> dict[str, SavedFile]:
        return {file.path: saved for file in choice.files if (saved := self._memory.recall(file)) is not None}

    def _differs(self, files: Mapping[str, SavedFile], omitted: Iterable[Omission]) -> bool:
        """Whether there is anything to say that the last manifest does not; caches may grow in silence."""
        last = self._memory.last
        if last is None or (last.environment, last.facts) != (self._subject.environment, self._subject.facts):
            return True
        return _by_path(files) != last.files or _missed(summary(omitted)) != _missed(last.omitted)

    async def _keep(self, file: HomeFile) -> None:
        """Read a file and put its bytes, where they are not there."""
        async with self._means.transfers:
            try:
                body = await self._subject.home.read(file.path, most=self._means.bounds.file)
            except ProviderError:
                return
            digest = await aside(len(body), hashed, body)
            if not self._memory.stored(digest):
                began = self._means.clock()
                await self._means.blobs.put(self._subject.session, digest, body)
                self._memory.put(digest, began)
                self._means.instruments.written.inc(len(body))
        saved = SavedFile(path=file.path, size=len(body), sha256=digest, executable=file.executable)
        self._read[file.path] = Seen(file=file, saved=saved, sure=_is_sure(file, self._now))

    async def _settle(self, unread: Sequence[HomeFile], files: dict[str, SavedFile]) -> list[Omission]:
        """Add to `files` what was read, and return what could not be.

        One that changed meanwhile may be half of this and half of that: it stays as it was, until the next round.
        One that never holds still is better kept as it was read than not at all.
        """
        found = await self._subject.home.scan() if unread else ()
        again, left_out = {file.path: file for file in found}, list[Omission]()
        for file in unread:
            if file.path not in again:
                continue
            if saved := self._settled(file, again[file.path]) or self._before(file.path):
                files[file.path] = saved
            else:
                left_out.append(omission(file, Why.CHANGING if file.path in self._read else Why.UNREADABLE))
        return left_out

    def _settled(self, file: HomeFile, again: HomeFile) -> SavedFile | None:
        seen = self._read.get(file.path)
        if seen is None:
            return None
        if again == file and seen.saved.size == file.size:
            self._memory.saw(seen)
            self._memory.calm(file.path)
            return seen.saved
        return seen.saved if self._memory.restless(file.path) else None

    def _before(self, path: str) -> SavedFile | None:
        saved = self._memory.before(path)
        return saved if saved is not None and self._memory.stored(saved.sha256) else None

    async def _write(
        self, files: Mapping[str, SavedFile], omitted: Iterable[Omission], names: Iterable[Name]
    ) -> Snapshot:
        name = ulid(self._when(names), self._means.chance(CHANCE_BYTES))
        snapshot = Snapshot(
            session=self._subject.session,
            site=self._means.site,
            ulid=name,
            made=moment(name),
            environment=self._subject.environment,
            files=_by_path(files),
            omitted=summary(omitted),
            facts=dict(self._subject.facts),
        )
        await self._means.manifests.put(snapshot)
        self._memory.keep(snapshot)
        return snapshot

    def _when(self, names: Iterable[Name]) -> datetime:
        """Now, or just after the newest that any site made: this one follows it, whatever the clocks say."""
        times = (moment(name.ulid) for name in names if not is_ahead(name, now=self._now))
        return max(self._means.clock(), max(times, default=self._now - TICK) + TICK)


def _by_path(files: Mapping[str, SavedFile]) -> tuple[SavedFile, ...]:
    return tuple(files[path] for path in sorted(files))


def _missed(omitted: Iterable[Omission]) -> set[tuple[str, Why]]:
    return {(omission.path, omission.why) for omission in omitted if omission.why is not Why.CACHE}


def _is_sure(file: HomeFile, now: datetime) -> bool:
    """Whether a change after the reading would show: within one tick of a disk's clock, times are the same."""
    return file.modified < int((now - _TIMES_ARE_EXACT_TO).timestamp() * 1e9)
