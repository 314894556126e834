"""A process that keeps the work of a session until somebody kills it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from pathlib import Path

from amalthea.model.clock import system_clock
from amalthea.model.store import ObjectInfo, ObjectStore
from amalthea.store.filesystem import FilesystemStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import work_at


def text(number: int, version: int) -> bytes:
    """What one of the files holds in a version."""
    return b"%d %d\n" % (number, version) * (1 + 997 * version % 4000)


class Held:
    """A store whose manifests, but the first, are told of and never put."""

    def __init__(self, inner: ObjectStore, telling: Connection) -> None:
        self._inner = inner
        self._telling = telling
        self._manifests = 0

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        if "/snapshot/" in key:
            self._manifests += 1
            if self._manifests > 1:
                self._telling.send_bytes(b"all blobs are there")
                await asyncio.get_running_loop().create_future()
        return await self._inner.put(key, body, if_absent=if_absent)

    async def get(self, key: str) -> bytes:
        return await self._inner.get(key)

    async def delete(self, key: str) -> None:
        await self._inner.delete(key)

    def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        return self._inner.list(prefix, after=after)

    async def aclose(self) -> None:
        await self._inner.aclose()


def keep_until_killed(place: Path, telling: Connection, held: bool) -> None:
    """Version after version of five files; what was written is told, or with `held` that a manifest is due."""
    asyncio.run(_keep(place, telling, held))


async def _keep(place: Path, telling: Connection, held: bool) -> None:
    inner = await FilesystemStore.open(place / "store")
    work = work_at(Held(inner, telling) if held else inner, system_clock)
    home, version = Directory(place / "home"), 0
    while True:
        version += 1
        home.fill({f"file-{number}": (text(number, version), False) for number in range(5)})
        await work.snapshot("s", home)
        telling.send_bytes(b"%d" % version)
        await work.tidy("s")
