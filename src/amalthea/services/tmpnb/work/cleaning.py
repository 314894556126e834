"""Lets go of what newer snapshots replaced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from amalthea.model.store import ObjectStore
from amalthea.services.tmpnb.work.calls import listed, within
from amalthea.services.tmpnb.work.keys import blob_key, blobs_prefix, digest_of, session_prefix, snapshots_prefix
from amalthea.services.tmpnb.work.manifests import ranked
from amalthea.services.tmpnb.work.memory import Memory
from amalthea.services.tmpnb.work.taking import Means
from amalthea.services.tmpnb.work.turns import in_turns

KEPT = 2
_DELETING = 4


class Cleaning:
    """One pass over a session, at the site where it lives.

    Manifests of other sites are theirs, or the sweep's. A blob goes when two passes in a row, `grace / 2` apart, find
    it older than `grace` and in no manifest: a site that is about to name it has put it later than that. Where a blob
    of the last manifest is gone all the same, the next snapshot puts all of them anew.
    """

    def __init__(self, store: ObjectStore, means: Means, session: str) -> None:
        self._store = store
        self._means = means
        self._session = session
        self._patience = means.bounds.call

    async def run(self, memory: Memory) -> int:
        """Clean; how many objects went. Raises `StoreError`."""
        names = await self._means.manifests.names(self._session)
        mine = ranked([name for name in names if name.site == self._means.site], now=self._means.clock())
        for name in mine[KEPT:]:
            await self._means.manifests.delete(self._session, name)
        return len(mine[KEPT:]) + await self._blobs(memory)

    async def _blobs(self, memory: Memory) -> int:
        now = self._means.clock()
        if memory.cleaned is not None and now - memory.cleaned < timedelta(seconds=self._means.bounds.grace / 2):
            return 0
        found = await self._found()
        if not memory.named <= found.keys():
            memory.distrust()
        unnamed = await self._unnamed(found)
        gone = unnamed & memory.doubtful
        await in_turns(self._delete, gone, workers=_DELETING)
        memory.cleaned, memory.doubtful = now, unnamed - gone
        return len(gone)

    async def _found(self) -> Mapping[str, datetime]:
        """Every blob, and when it was written."""
        return {
            digest: info.modified
            async for info in listed(self._store, blobs_prefix(self._session), patience=self._patience)
            if (digest := digest_of(info.key))
        }

    async def _unnamed(self, found: Mapping[str, datetime]) -> frozenset[str]:
        """Old blobs that no manifest names. Manifests are listed last: one that came after the blobs counts."""
        before = self._means.clock() - timedelta(seconds=self._means.bounds.grace)
        old = frozenset(digest for digest, modified in found.items() if modified < before)
        if not old:
            return old
        names = await self._means.manifests.names(self._session)
        return old - await self._means.manifests.mentioned(self._session, names)

    async def _delete(self, digest: str) -> None:
        await within(self._patience, self._store.delete(blob_key(self._session, digest)))


async def remove_all(store: ObjectStore, session: str, *, patience: float) -> int:
    """Remove every object of a session, manifests first: nobody begins to read what is about to go.

    Returns how many. Raises `StoreError`.
    """
    gone = await remove_below(store, snapshots_prefix(session), patience=patience)
    return gone + await remove_below(store, session_prefix(session), patience=patience)


async def remove_below(store: ObjectStore, prefix: str, *, patience: float) -> int:
    """Remove every object below a prefix; how many there were. Raises `StoreError`."""
    keys = [info.key async for info in listed(store, prefix, patience=patience)]

    async def remove(key: str) -> None:
        await within(patience, store.delete(key))

    await in_turns(remove, keys, workers=_DELETING)
    return len(keys)
