"""Make a batch of changes durable with two syncs, whether it is one change or a hundred.

1. *stage*: write every body to a temporary file,
2. sync the files,
3. *publish*: link (`if_absent`) or rename each to its name, or remove it, in the order of the calls,
4. sync the directories.

A crash before 3 leaves temporary files, which nobody can see; after 3, whole objects. Where a put fails in
the last sync, its object may be there, whole, or not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.errors import ObjectExists, StoreError
from amalthea.store.staging import Staged, Staging
from amalthea.store.syncing import Syncer
from amalthea.store.tree import Tree, unavailable

Outcome = str | StoreError
"""The etag of a change that is durable ("" for a removal), or why it is not."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Put `body` into a file, or remove the file where `body` is None."""

    key: str
    directories: tuple[str, ...]
    file: str
    body: bytes | None = None
    if_absent: bool = False


class Commit:
    """Runs in the commit thread: takes batches, answers with one outcome for each change."""

    def __init__(self, directory: Path, *, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._syncer = Syncer(directory)
        self._durable: set[tuple[str, ...]] = {()}  # directories are never removed, so this only grows
        self._last_time = 0

    def run(self, changes: Sequence[Change]) -> list[Outcome]:
        """Make the changes durable; one that fails does not keep the others from it."""
        try:
            with Tree(self._directory) as tree, Staging(tree) as staging:
                staged = [self._stage(staging, change) for change in changes]
                self._syncer.sync(tree.root, staging.descriptors)
                outcomes = [
                    self._publish(tree, staging, change, one) for change, one in zip(changes, staged, strict=True)
                ]
                self._sync_directories(tree, changes)
                return outcomes
        except OSError as error:
            return [unavailable(error, self._directory) for _ in changes]

    def _stage(self, staging: Staging, change: Change) -> tuple[Staged | None, Outcome]:
        if change.body is None:
            return None, ""
        self._last_time = max(int(self._clock().timestamp() * 1e6) * 1000, self._last_time + 1)
        try:
            return staging.write(change.body, modified=self._last_time), etag(self._last_time, len(change.body))
        except OSError as error:
            return None, unavailable(error, self._directory)

    def _publish(self, tree: Tree, staging: Staging, change: Change, staged: tuple[Staged | None, Outcome]) -> Outcome:
        file, outcome = staged
        try:
            if file is not None:
                place = staging.link if change.if_absent else staging.rename
                place(file, tree.directory(change.directories, create=True), change.file)
            elif change.body is None:
                with suppress(FileNotFoundError):
                    os.unlink(change.file, dir_fd=tree.directory(change.directories))
        except FileExistsError:
            return ObjectExists("there is an object under this key", where=change.key)
        except OSError as error:
            return unavailable(error, self._directory)
        return outcome

    def _sync_directories(self, tree: Tree, changes: Sequence[Change]) -> None:
        """Sync each directory that changed, and once those above one that this process has not used before."""
        touched = {change.directories for change in changes if tree.opened(change.directories)}
        fresh = touched - self._durable
        above = {names[:depth] for names in fresh for depth in range(len(names))}
        self._syncer.sync(tree.root, [tree.directory(names) for names in touched | above])
        self._durable |= fresh

    def close(self) -> None:
        """End the threads that sync."""
        self._syncer.close()


def etag(modified: int, size: int) -> str:
    """Names the content of a file: its time in nanoseconds, which never repeats, and its size."""
    return f"{modified:x}-{size:x}"
