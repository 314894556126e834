"""The manifests of a session in the store, of all sites; which of them is the newest is in their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from amalthea.model.errors import ObjectMissing
from amalthea.model.store import ObjectStore
from amalthea.services.tmpnb.work.blobs import aside
from amalthea.services.tmpnb.work.calls import listed, within
from amalthea.services.tmpnb.work.errors import BadSnapshot
from amalthea.services.tmpnb.work.keys import Name, name_of, snapshot_key, snapshots_prefix
from amalthea.services.tmpnb.work.snapshot import MANIFEST_BYTES, Snapshot, read, written
from amalthea.services.tmpnb.work.ulid import moment

SKEW = timedelta(minutes=10)
_TRIED = 50
_DIGEST = re.compile(rb"[0-9a-f]{64}")


class Manifests:
    """Reads and writes them. Each call of `store` takes `patience` seconds at most. All raise `StoreError`."""

    def __init__(self, store: ObjectStore, *, patience: float) -> None:
        self._store = store
        self._patience = patience

    async def names(self, session: str) -> Sequence[Name]:
        """What manifests there are, in the order of their names."""
        prefix = snapshots_prefix(session)
        return [
            name
            async for info in listed(self._store, prefix, patience=self._patience)
            if (name := name_of(info.key)) and info.size <= MANIFEST_BYTES
        ]

    async def newest(self, session: str, *, now: datetime) -> Snapshot | None:
        """The newest that can be read; None where there is none."""
        for name in ranked(await self.names(session), now=now)[:_TRIED]:
            try:
                body = await self._get(session, name)
                return await aside(len(body), read, body, session=session, name=name)
            except (ObjectMissing, BadSnapshot):
                continue
        return None

    async def put(self, snapshot: Snapshot) -> None:
        """Keep a manifest. Raises `BadSnapshot` too."""
        body = await aside(200 * len(snapshot.files), written, snapshot)
        await within(self._patience, self._store.put(snapshot_key(snapshot.session, snapshot.name), body))

    async def delete(self, session: str, name: Name) -> None:
        """Remove a manifest."""
        await within(self._patience, self._store.delete(snapshot_key(session, name)))

    async def mentioned(self, session: str, names: Iterable[Name]) -> set[str]:
        """Every hash in these manifests, also in such as a newer program wrote and this one cannot read."""
        found = set[str]()
        for name in names:
            try:
                found.update(match.decode() for match in _DIGEST.findall(await self._get(session, name)))
            except ObjectMissing:
                continue
        return found

    async def _get(self, session: str, name: Name) -> bytes:
        return await within(self._patience, self._store.get(snapshot_key(session, name)))


def ranked(names: Iterable[Name], *, now: datetime) -> Sequence[Name]:
    """The newest first; those of a time to come last, or a wrong clock would hide all that is written after it."""
    return sorted(names, key=lambda name: (not is_ahead(name, now=now), name), reverse=True)


def is_ahead(name: Name, *, now: datetime) -> bool:
    """Whether it was made by a clock that is wrong, if ours is not."""
    return moment(name.ulid) > now + SKEW
