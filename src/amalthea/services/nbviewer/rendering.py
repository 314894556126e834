"""From notebook bytes to a finished page, compressed, off the event loop.

A page is keyed by everything that shapes it: the hash of the notebook, the renderer's version, its options
and what stands around it. The key is also its ETag. Requests for one page wait for one rendering; only so
many run at once, only so many wait, and whoever comes after them is told to come back.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from amalthea.model.wire import encode
from amalthea.services.nbviewer.errors import Busy
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once
from amalthea.services.nbviewer.render import VERSION, Options
from amalthea.services.nbviewer.source import Document
from amalthea.services.nbviewer.work import Job, Kind, Made, Workshop


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page: its gzipped bytes and its ETag. `extension` is that of a file to keep, such as `.py`."""

    etag: str
    packed: bytes
    media_type: str = "text/html"
    extension: str = ""


class Press:
    """Makes pages and keeps the last ones, up to `memory` bytes.

    `edition` changes when what stands around notebooks does; `content` is the origin of what runs scripts.
    """

    def __init__(
        self,
        workshop: Workshop,
        *,
        edition: str,
        content: str,
        memory: int,
        renders: int,
        queue: int,
        instruments: Instruments,
    ) -> None:
        self._workshop = workshop
        self._edition = edition
        self._content = content
        self._pages: Memory[Page] = Memory(memory, lambda page: len(page.packed))
        self._frames: Memory[bytes] = Memory(memory, len)
        self._once: Once[Page] = Once()
        self._threads = ThreadPoolExecutor(renders, thread_name_prefix="render")
        self._room = renders + queue
        self._under_way = 0
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

        Raises `NotANotebook`, `Busy`, and what reading it raises.
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
        """Let go of the threads; what is being rendered is not waited for."""
        await self._once.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _key(self, kind: Kind, documents: Sequence[Document], options: Options) -> str:
        chrome = documents[0].chrome
        if not chrome.stale:
            chrome = msgspec.structs.replace(chrome, checked=None)
        text = encode((self._edition, VERSION, kind, [document.digest for document in documents], options, chrome))
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

    async def _rendered(self, key: str, kind: Kind, documents: Sequence[Document], options: Options) -> Page:
        if self._under_way >= self._room:
            raise Busy("Too many notebooks are being rendered.", hint="Try again in a few seconds.")
        self._under_way += 1
        try:
            with self._instruments.rendering.track_inprogress():
                sources = tuple([await document.read() for document in documents])
                job = Job(kind=kind, sources=sources, chrome=documents[0].chrome, options=options)
                made = await asyncio.get_running_loop().run_in_executor(self._threads, self._make, job)
        finally:
            self._under_way -= 1
        page = Page(etag=f'W/"{key}"', packed=made.packed, media_type=made.media_type, extension=made.extension)
        self._pages.put(key, page)
        for frame in made.frames:
            self._frames.put(frame.digest, frame.packed)
        self._instruments.pages.labels("rendered").inc()
        return page

    def _make(self, job: Job) -> Made:
        with self._instruments.render_failures.count_exceptions(), self._instruments.render_seconds.time():
            return self._workshop.make(job)
