"""From notebook bytes to a finished page, packed, in a process of its own.

A page is keyed by everything that shapes it: the hash of the notebook, the renderer's version, its options
and what stands around it. The key is also its ETag. Requests for one page wait for one rendering. The work is
done by `Workers`; a notebook that was too hard for one is remembered, and refused at once for a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.wire import encode
from amalthea.services.nbviewer.errors import TooHard
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once
from amalthea.services.nbviewer.packing import Packed
from amalthea.services.nbviewer.render import VERSION, Options
from amalthea.services.nbviewer.source import Document
from amalthea.services.nbviewer.work import Job, Kind
from amalthea.services.nbviewer.workers import Workers

_REMEMBERED = timedelta(minutes=10)
_HARD_ONES = 4096


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page and its ETag. `extension` is that of a file to keep, such as `.py`."""

    etag: str
    packed: Packed
    media_type: str = "text/html"
    extension: str = ""


class _Hard(msgspec.Struct, frozen=True):
    """Why a notebook is not tried again before `until`."""

    reason: str
    hint: str
    until: datetime


class Press:
    """Makes pages and keeps the last ones, up to `memory` bytes.

    `edition` changes when what stands around notebooks does; `content` is the origin of what runs scripts.
    """

    def __init__(
        self,
        workers: Workers,
        *,
        edition: str,
        content: str,
        memory: int,
        clock: Clock,
        instruments: Instruments,
    ) -> None:
        self._workers = workers
        self._edition = edition
        self._content = content
        self._pages: Memory[Page] = Memory(memory, lambda page: len(page.packed))
        self._frames: Memory[bytes] = Memory(memory, len)
        self._hard: Memory[_Hard] = Memory(_HARD_ONES, lambda hard: 1)
        self._once: Once[Page] = Once()
        self._clock = clock
        self._instruments = instruments

    async def page(
        self,
        document: Document,
        *,
        kind: Kind = Kind.HTML,
        against: Document | None = None,
        line_numbers: bool = False,
    ) -> Page:
        """A notebook as a page of some kind, or the difference from one to another.

        Raises `NotANotebook`, `TooHard`, `Busy`, and what reading it raises.
        """
        options = Options(
            raw_base=document.raw_base, link_base=document.link_base, content=self._content, line_numbers=line_numbers
        )
        documents = (document,) if against is None else (document, against)
        key = self._key(kind, documents, options)
        page = self._pages.get(key)
        if page is not None:
            self._instruments.pages.labels("memory").inc()
            return page
        return await self._once.run(key, lambda: self._rendered(key, kind, documents, options))

    async def frame(self, digest: str) -> bytes | None:
        """The gzipped document that the content origin shows at `/frame/<digest>`, where it is still held."""
        return self._frames.get(digest)

    async def aclose(self) -> None:
        """End what is under way."""
        await self._once.aclose()

    def _key(self, kind: Kind, documents: Sequence[Document], options: Options) -> str:
        chrome = documents[0].chrome
        if not chrome.stale:
            chrome = msgspec.structs.replace(chrome, checked=None)
        return _hash((self._edition, VERSION, kind, [document.digest for document in documents], options, chrome))

    async def _rendered(self, key: str, kind: Kind, documents: Sequence[Document], options: Options) -> Page:
        with self._instruments.rendering.track_inprogress(), self._instruments.waiting_seconds.time():
            what = _hash((kind, [document.digest for document in documents]))
            self._check_hard(what)
            sources = tuple([await document.read() for document in documents])
            job = Job(kind=kind, sources=sources, chrome=documents[0].chrome, options=options)
            try:
                with self._instruments.render_failures.count_exceptions():
                    made = await self._workers.make(job)
            except TooHard as error:
                until = self._clock() + _REMEMBERED
                self._hard.put(what, _Hard(error.message, error.hint, until))
                raise
        page = Page(etag=f'W/"{key}"', packed=made.packed, media_type=made.media_type, extension=made.extension)
        self._pages.put(key, page)
        for frame in made.frames:
            self._frames.put(frame.digest, frame.packed.gzip)
        self._instruments.pages.labels("rendered").inc()
        return page

    def _check_hard(self, what: str) -> None:
        """Raises `TooHard` for what was too hard a moment ago."""
        hard = self._hard.get(what)
        if hard is not None and self._clock() < hard.until:
            raise TooHard(hard.reason, hint=hard.hint)


def _hash(value: object) -> str:
    return hashlib.sha256(encode(value).encode(errors="surrogatepass")).hexdigest()[:32]
