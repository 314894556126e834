"""A store that is gone with its process: for tests, and for trying things out."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import ObjectExists, ObjectMissing
from amalthea.model.store import ObjectInfo, check_key


class MemoryStore:
    """Objects in a dict. `clock` tells when each was put."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._objects: dict[str, tuple[bytes, ObjectInfo]] = {}

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        """See `ObjectStore.put`."""
        if check_key(key) in self._objects and if_absent:
            raise ObjectExists("there is an object under this key", where=key)
        etag = hashlib.sha256(body).hexdigest()[:32]
        info = ObjectInfo(key=key, size=len(body), etag=etag, modified=self._clock())
        self._objects[key] = (bytes(body), info)
        return etag

    async def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        found = self._objects.get(check_key(key))
        if found is None:
            raise ObjectMissing("there is no object under this key", where=key)
        return found[0]

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        self._objects.pop(check_key(key), None)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`; what is put or deleted meanwhile may be seen or not."""
        for key in sorted(k for k in self._objects if k.startswith(prefix) and k > after):
            if found := self._objects.get(key):
                yield found[1]

    async def aclose(self) -> None:
        """Nothing to let go of."""
