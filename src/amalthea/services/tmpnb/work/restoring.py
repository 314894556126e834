"""Files out of a snapshot: into a home, or one after the other for an archive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

import msgspec

from amalthea.model.errors import ProviderError, StoreUnavailable
from amalthea.model.spawner import Home, HomeFile
from amalthea.model.units import ByteSize
from amalthea.services.tmpnb.work.blobs import Blobs
from amalthea.services.tmpnb.work.bounds import MOST_FILES, Bounds
from amalthea.services.tmpnb.work.choosing import choose, omission, summary
from amalthea.services.tmpnb.work.errors import BlobLost
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.snapshot import Omission, SavedFile, Snapshot
from amalthea.services.tmpnb.work.turns import in_turns
from amalthea.services.tmpnb.work.why import Why

_PATIENCE = 3


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """How many files and bytes are there again, and what could not be had."""

    files: int
    size: int
    lost: tuple[Omission, ...]


class Restoring:
    """One snapshot being read. `kept` is what `Blobs.kept` says of its files."""

    def __init__(
        self,
        snapshot: Snapshot,
        blobs: Blobs,
        *,
        kept: Mapping[str, int],
        bounds: Bounds,
        transfers: asyncio.Semaphore,
        instruments: Instruments,
    ) -> None:
        self.lost: list[Omission] = []
        self._session = snapshot.session
        self._blobs = blobs
        self._kept = kept
        self._transfers = transfers
        self._workers = bounds.workers
        self._instruments = instruments
        self._failures = 0
        self._files, self._size = 0, 0
        self._wanted = self._accepted(snapshot, bounds)

    async def into(self, home: Home) -> Restored:
        """Write every file that can be had into `home`."""

        async def one(file: SavedFile) -> None:
            async with self._transfers:
                if (body := await self._body(file)) is not None:
                    await self._write(home, file, body)

        await in_turns(one, self._wanted, workers=self._workers)
        return Restored(files=self._files, size=self._size, lost=summary(self.lost))

    async def each(self) -> AsyncGenerator[tuple[SavedFile, bytes], None]:
        """Every file that can be had, in the order of their paths. Raises `StoreUnavailable`."""
        for file in self._wanted:
            async with self._transfers:
                body = await self._body(file)
            if self._failures:
                raise StoreUnavailable("the store does not answer any more", where=self._session)
            if body is not None:
                yield file, body

    def _accepted(self, snapshot: Snapshot, bounds: Bounds) -> Sequence[SavedFile]:
        """The files, but what no session of ours would have kept: the manifest came from elsewhere.

        All together may be somewhat more than when they were chosen: files grow while they are read.
        """
        loose = msgspec.structs.replace(bounds, total=ByteSize(2 * bounds.total), files=MOST_FILES)
        choice = choose([_as_found(file) for file in snapshot.files], loose)
        for left_out in choice.omitted:
            self._lose(left_out)
        kept = {file.path for file in choice.files}
        return [file for file in snapshot.files if file.path in kept]

    async def _body(self, file: SavedFile) -> bytes | None:
        """The bytes, or None, and then it is told; a store that does not answer is not asked for ever."""
        why = Why.UNREACHABLE
        try:
            if self._failures < _PATIENCE:
                body = await self._blobs.get(self._session, file, kept=self._kept)
                self._failures = 0
                self._instruments.read.inc(len(body))
                return body
        except BlobLost as lost:
            why = lost.why
        except StoreUnavailable:
            self._failures += 1
        self._lose(omission(_as_found(file), why))
        return None

    async def _write(self, home: Home, file: SavedFile, body: bytes) -> None:
        try:
            await home.write(file.path, body, executable=file.executable)
        except ProviderError:
            self._lose(omission(_as_found(file), Why.REFUSED))
        else:
            self._files += 1
            self._size += len(body)

    def _lose(self, lost: Omission) -> None:
        self.lost.append(lost)
        self._instruments.lost.labels(lost.why).inc()


def _as_found(file: SavedFile) -> HomeFile:
    return HomeFile(path=file.path, size=file.size, modified=0, executable=file.executable)
