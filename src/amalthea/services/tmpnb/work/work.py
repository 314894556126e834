"""The work of sessions: snapshots of it in the store, back into a home, and as archives to take along."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import ProviderError, Unreachable
from amalthea.model.spawner import Home, HomeFile
from amalthea.model.store import ObjectStore
from amalthea.services.tmpnb.work.blobs import Blobs
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.choosing import omission, summary, worthwhile
from amalthea.services.tmpnb.work.cleaning import Cleaning, remove_all
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.keys import check_site, session_prefix
from amalthea.services.tmpnb.work.manifests import Manifests
from amalthea.services.tmpnb.work.memory import Memory
from amalthea.services.tmpnb.work.restoring import Restored, Restoring
from amalthea.services.tmpnb.work.snapshot import Omission, Snapshot
from amalthea.services.tmpnb.work.taking import Means, Subject, Taking
from amalthea.services.tmpnb.work.why import Why
from amalthea.services.tmpnb.work.zipping import Entry, zipped

_NO_BOUNDS = Bounds()


class Work:
    """One site's hand on the work of all sessions. Every session runs in one process at a time.

    A session that is not named by 1 to 64 letters, digits and hyphens raises `InvalidKey` everywhere.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        site: str,
        instruments: Instruments,
        bounds: Bounds = _NO_BOUNDS,
        clock: Clock = system_clock,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._store = store
        self._memories: dict[str, Memory] = {}
        self._means = Means(
            site=check_site(site),
            blobs=Blobs(store, patience=bounds.call),
            manifests=Manifests(store, patience=bounds.call),
            bounds=bounds,
            clock=clock,
            chance=chance,
            transfers=asyncio.Semaphore(bounds.transfers),
            instruments=instruments,
        )

    async def snapshot(
        self, session: str, home: Home, *, environment: str = "", facts: Mapping[str, str] | None = None
    ) -> Snapshot | None:
        """Keep what changed since the last snapshot; None where nothing did.

        Only files whose size or time changed are read. `facts` are at most 32, of 64 and 4096 characters.
        Raises `ProviderError` of the home, `StoreError`, and `Unreachable` when it takes longer than it may.
        """
        session_prefix(session)
        memory = self._memories.setdefault(session, Memory(self._means.bounds))
        subject = Subject(session=session, home=home, environment=environment, facts=dict(facts or {}))
        limit = self._means.bounds.attempt
        try:
            async with memory.lock, asyncio.timeout(limit):
                return await Taking(self._means, memory, subject).run()
        except TimeoutError:
            raise Unreachable(f"the files were not kept within {limit:g} s", where=session) from None

    async def tidy(self, session: str) -> int:
        """Remove this site's manifests but the last two, and now and then blobs that none names any more.

        Returns how many objects went. Raises `StoreError`.
        """
        memory = self._memories.setdefault(session, Memory(self._means.bounds))
        async with memory.lock:
            return await Cleaning(self._store, self._means, session).run(memory)

    def release(self, session: str) -> None:
        """Forget what this process knows of a session that is over, not what the store holds of it."""
        self._memories.pop(session, None)

    async def newest(self, session: str) -> Snapshot | None:
        """The newest snapshot of any site; None where there is none. Raises `StoreError`."""
        return await self._means.manifests.newest(session, now=self._means.clock())

    async def restore(self, snapshot: Snapshot, home: Home) -> Restored:
        """Write its files into `home`, whatever is there, each checked before. Raises `StoreError`.

        That is where nothing can be had at all; else what could not be had is in what it returns.
        """
        return await (await self._restoring(snapshot)).into(home)

    async def archive(self, snapshot: Snapshot) -> AsyncGenerator[bytes, None]:
        """A zip of its files, in pieces of 256 KiB at most. Raises `StoreError`: first before the first piece.

        What is missing or damaged is told in a file of the archive; when the store goes away, it breaks off.
        """
        restoring = await self._restoring(snapshot)
        omitted = list(snapshot.missed)

        async def entries() -> AsyncGenerator[Entry, None]:
            async with aclosing(restoring.each()) as each:
                async for file, body in each:
                    yield Entry(path=file.path, body=body, executable=file.executable, modified=snapshot.made)
            omitted.extend(summary(restoring.lost))

        async with aclosing(_archive(entries(), omitted)) as pieces:
            async for piece in pieces:
                yield piece

    async def archive_home(self, home: Home) -> AsyncGenerator[bytes, None]:
        """A zip of the files of a living session, as `archive`: of all together there may be any number of bytes.

        Raises `ProviderError` before the first piece.
        """
        bounds = self._means.bounds
        found = sorted(await home.scan(), key=lambda file: file.path)
        choice = await asyncio.to_thread(worthwhile, found, bounds)
        omitted = [line for line in summary(choice.omitted) if line.why is not Why.CACHE]
        async with aclosing(_archive(_living(choice.files, home, omitted, most=bounds.file), omitted)) as pieces:
            async for piece in pieces:
                yield piece

    async def forget(self, session: str) -> None:
        """Remove all of a session's work, of all sites. One that lives on is kept anew, from the beginning.

        Raises `StoreError`: then some may be left.
        """
        memory = self._memories.pop(session, None) or Memory(self._means.bounds)
        async with memory.lock:
            await remove_all(self._store, session, patience=self._means.bounds.call)

    async def _restoring(self, snapshot: Snapshot) -> Restoring:
        wanted = {file.sha256 for file in snapshot.files}
        return Restoring(
            snapshot,
            self._means.blobs,
            kept=await self._means.blobs.kept(snapshot.session, wanted),
            bounds=self._means.bounds,
            transfers=self._means.transfers,
            instruments=self._means.instruments,
        )


async def _archive(entries: AsyncGenerator[Entry, None], omitted: Sequence[Omission]) -> AsyncGenerator[bytes, None]:
    """A zip; whoever stops taking pieces of it closes all that stands behind it."""
    async with aclosing(entries), aclosing(zipped(entries, omitted)) as pieces:
        async for piece in pieces:
            yield piece


async def _living(
    files: Sequence[HomeFile], home: Home, omitted: list[Omission], *, most: int
) -> AsyncGenerator[Entry, None]:
    """The files one by one; what cannot be read is added to `omitted`."""
    for file in files:
        try:
            body = await home.read(file.path, most=most)
        except ProviderError:
            omitted.append(omission(file, Why.UNREADABLE))
            continue
        yield Entry(path=file.path, body=body, executable=file.executable, modified=_modified(file))


def _modified(file: HomeFile) -> datetime:
    """A file's time; its owner may have set it to any."""
    try:
        return datetime.fromtimestamp(file.modified / 1e9, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return datetime(1980, 1, 1, tzinfo=UTC)
