"""What this process knows of a session's work: what it read, and which blobs are sure to be in the store."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from amalthea.model.spawner import HomeFile
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.keys import Name
from amalthea.services.tmpnb.work.snapshot import SavedFile, Snapshot

_PATIENCE = 3  # rounds


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a file held when it had this size and time. It is `sure` where a later change would show in the time."""

    file: HomeFile
    saved: SavedFile
    sure: bool


class Memory:
    """One session. `lock` is held while a snapshot of it is made."""

    def __init__(self, bounds: Bounds) -> None:
        self.lock = asyncio.Lock()
        self.last: Snapshot | None = None
        self.doubtful: frozenset[str] = frozenset()
        self.cleaned: datetime | None = None
        self._bounds = bounds
        self._seen: dict[str, Seen] = {}
        self._put: dict[str, datetime] = {}
        self._restless: dict[str, int] = {}
        self.named: frozenset[str] = frozenset()

    def begin(self, now: datetime) -> None:
        """Let go of what an attempt that begins now cannot be sure of."""
        self._put = {digest: at for digest, at in self._put.items() if now - at < self._bounds.fresh}
        if self.last is not None and now - self.last.made >= self._bounds.trusted:
            self.distrust()

    def distrust(self) -> None:
        """Somebody may have removed everything: it has to be put anew."""
        self.last, self.named = None, frozenset()
        self._put.clear()

    def stored(self, digest: str) -> bool:
        """Whether the blob is sure to be there while this attempt lasts."""
        return digest in self.named or digest in self._put

    def put(self, digest: str, at: datetime) -> None:
        """A blob was put."""
        self._put[digest] = at

    def saw(self, seen: Seen) -> None:
        """A file was read."""
        self._seen[seen.file.path] = seen

    def recall(self, file: HomeFile) -> SavedFile | None:
        """What the file holds, if it need not be read for that."""
        seen = self._seen.get(file.path)
        known = seen is not None and seen.sure and seen.file == file and self.stored(seen.saved.sha256)
        return seen.saved if seen is not None and known else None

    def before(self, path: str) -> SavedFile | None:
        """What a file was in the last snapshot."""
        found = (file for file in self.last.files if file.path == path) if self.last is not None else iter(())
        return next(found, None)

    def restless(self, path: str) -> bool:
        """Count that a file changed while it was read; whether it does so all the time."""
        self._restless[path] = self._restless.get(path, 0) + 1
        return self._restless[path] > _PATIENCE

    def calm(self, path: str) -> None:
        """A file held still."""
        self._restless.pop(path, None)

    def keep(self, snapshot: Snapshot) -> None:
        """A snapshot was written: what is not in it need not be known."""
        self.last = snapshot
        self.named = frozenset(file.sha256 for file in snapshot.files)
        there = {file.path for file in snapshot.files}
        self._seen = {path: seen for path, seen in self._seen.items() if path in there}

    def written(self) -> Name | None:
        """The name of the last manifest of this process."""
        return self.last.name if self.last is not None else None
