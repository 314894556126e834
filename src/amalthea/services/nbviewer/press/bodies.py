"""What has been rendered of notebooks, whatever stands around it: one notebook in many places is rendered once.

A body is kept under the hash of the notebook's bytes, the renderer's version and the options. Where neither the
address of its images nor that of its links shaped it, that is all; else the body kept there is empty, and says that
each place has its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Coroutine, Mapping
from datetime import timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.wire import encode
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.press.shelf import Body, Shelf
from amalthea.services.nbviewer.press.work import Made
from amalthea.services.nbviewer.render import VERSION, Options, Rendered

_ENTRY_BYTES = 200
_SHAPE = (VERSION, Rendered.__struct_fields__)


class Bodies:
    """Bodies in memory, up to `memory` bytes, and on the shelf; none older than `age`, nor its frames."""

    def __init__(self, shelf: Shelf, *, memory: int, age: timedelta, clock: Clock) -> None:
        self._shelf = shelf
        self._age = age
        self._clock = clock
        self._held: Memory[Body] = Memory(memory, lambda body: _ENTRY_BYTES + len(body))

    async def find(self, digest: str, options: Options) -> Body | None:
        """What was rendered of the notebook with this digest, where it may be shown with these options."""
        body = await self._one(anywhere(digest, options))
        return body if body is None or body.body else await self._one(_here(digest, options))

    def keep(self, digest: str, options: Options, made: Made) -> Coroutine[None, None, None]:
        """Hold what came of rendering it from now on; what is returned writes it to the store."""
        body = Body(body=made.body, made=self._clock())
        places = {anywhere(digest, options): body}
        if made.based:
            places = {_here(digest, options): body, anywhere(digest, options): Body(body=b"", made=body.made)}
        for key, one in places.items():
            self._held.put(key, one)
        return self._written(places)

    async def _one(self, key: str) -> Body | None:
        body = self._held.get(key)
        if body is None and (body := await self._shelf.body(key)) is not None:
            self._held.put(key, body)
        return body if body is not None and self._clock() - body.made < self._age else None

    async def _written(self, places: Mapping[str, Body]) -> None:
        for key, body in places.items():
            await self._shelf.keep_body(key, body)


def anywhere(digest: str, options: Options) -> str:
    """The key of a notebook, wherever it stands."""
    return _here(digest, msgspec.structs.replace(options, raw_base="", link_base=""))


def _here(digest: str, options: Options) -> str:
    return hashlib.sha256(encode((_SHAPE, digest, options)).encode(errors="surrogatepass")).hexdigest()[:32]
