"""A store in a directory: durable when `put` returns.

Each object is one file that a person can find and read (`layout` says where). Changes are committed in groups
(`gathering`, `commit`); reads and listings run in threads. Several processes may use one directory at a time.
Files belong to the user that runs the store, and nobody else can read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Self

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import ObjectMissing
from amalthea.model.store import ObjectInfo
from amalthea.store.commit import Change, Commit
from amalthea.store.gathering import GroupCommit
from amalthea.store.layout import TEMPORARY, place
from amalthea.store.staging import sweep
from amalthea.store.tree import Tree, explained
from amalthea.store.walk import walk

_READERS = 8
_LISTED_AT_ONCE = 500


class FilesystemStore:
    """Objects below `directory`. Use `open`, which makes the directory and tries to write there.

    Removing an object leaves its directory. A store belongs to the event loop that first writes to it.
    """

    def __init__(self, directory: Path, *, clock: Clock = system_clock) -> None:
        self.directory = directory
        self._changes = GroupCommit(Commit(directory, clock=clock))
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="amalthea-read")

    @classmethod
    async def open(cls, directory: Path, *, clock: Clock = system_clock) -> Self:
        """A store that can be written to, without the leftovers of killed writers.

        Close it with `aclose`. Raises `StoreUnavailable` when the directory cannot be made or written.
        """
        await asyncio.to_thread(_prepare, directory, clock)
        store = cls(directory, clock=clock)
        probe = Change(key=TEMPORARY, directories=(TEMPORARY,), file=f"probe-{id(store):x}", body=b"probe")
        try:
            await store._changes.submit(probe)
            await store._changes.submit(Change(key=TEMPORARY, directories=(TEMPORARY,), file=probe.file))
        except BaseException:
            await store.aclose()
            raise
        return store

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put`. After `StoreUnavailable` the object is there whole, or not at all."""
        names, file = place(key)
        return await self._changes.submit(
            Change(key=key, directories=names, file=file, body=bytes(body), if_absent=if_absent)
        )

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        names, file = place(key)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, key, names, file)

    def _read(self, key: str, names: tuple[str, ...], file: str) -> bytes:
        with explained(self.directory), Tree(self.directory) as tree:
            try:
                return tree.read(names, file)
            except FileNotFoundError:
                raise ObjectMissing("there is no object under this key", where=key) from None

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`; durable when it returns."""
        names, file = place(key)
        await self._changes.submit(Change(key=key, directories=names, file=file))

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`; what is put or deleted meanwhile may be seen or not."""
        objects = walk(self.directory, prefix=prefix, after=after)

        def some() -> tuple[ObjectInfo, ...]:
            with explained(self.directory):
                return tuple(islice(objects, _LISTED_AT_ONCE))

        while found := await asyncio.get_running_loop().run_in_executor(self._readers, some):
            for info in found:
                yield info

    async def aclose(self) -> None:
        """Finish what is under way and end the threads."""
        await self._changes.aclose()
        await asyncio.to_thread(self._readers.shutdown)


def _prepare(directory: Path, clock: Clock) -> None:
    with explained(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Tree(directory) as tree:
            sweep(tree, now=clock().timestamp())
