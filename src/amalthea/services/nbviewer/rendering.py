"""From notebook bytes to a finished page, compressed, off the event loop.

A page is keyed by everything that shapes it: the hash of the notebook, the renderer's version, its options
and what stands around it. The key is also its ETag. Requests for one page wait for one rendering; only so
many run at once, only so many wait, and whoever comes after them is told to come back.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from amalthea.model.wire import encode
from amalthea.services.nbviewer.errors import Busy
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once
from amalthea.services.nbviewer.render import VERSION, Options, Rendered, render
from amalthea.services.nbviewer.source import Chrome, Document

_LEVEL = 6

Frame = Callable[[Rendered, Chrome], str]
"""Puts the page around a rendered notebook."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page: its gzipped bytes and its ETag."""

    etag: str
    packed: bytes


class Press:
    """Makes pages and keeps the last ones, up to `memory` bytes. `edition` changes when the frame does."""

    def __init__(
        self, frame: Frame, *, edition: str, memory: int, renders: int, queue: int, instruments: Instruments
    ) -> None:
        self._frame = frame
        self._edition = edition
        self._pages: Memory[Page] = Memory(memory, lambda page: len(page.packed))
        self._once: Once[Page] = Once()
        self._threads = ThreadPoolExecutor(renders, thread_name_prefix="render")
        self._room = renders + queue
        self._under_way = 0
        self._instruments = instruments

    async def page(self, document: Document) -> Page:
        """The page of a notebook. Raises `NotANotebook`, `Busy`, and what reading it raises."""
        options = Options(raw_base=document.raw_base, link_base=document.link_base)
        key = self._key(document, options)
        page = self._pages.get(key)
        if page is not None:
            self._instruments.pages.labels("memory").inc()
            return page
        return await self._once.run(key, lambda: self._rendered(key, document, options))

    async def aclose(self) -> None:
        """Let go of the threads; what is being rendered is not waited for."""
        await self._once.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _key(self, document: Document, options: Options) -> str:
        chrome = (
            msgspec.structs.replace(document.chrome, checked=None) if not document.chrome.stale else document.chrome
        )
        text = encode((self._edition, VERSION, document.digest, options, chrome))
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

    async def _rendered(self, key: str, document: Document, options: Options) -> Page:
        if self._under_way >= self._room:
            raise Busy("Too many notebooks are being rendered.", hint="Try again in a few seconds.")
        self._under_way += 1
        try:
            with self._instruments.rendering.track_inprogress():
                body = await document.read()
                loop = asyncio.get_running_loop()
                packed = await loop.run_in_executor(self._threads, self._make, body, document.chrome, options)
        finally:
            self._under_way -= 1
        page = Page(etag=f'W/"{key}"', packed=packed)
        self._pages.put(key, page)
        self._instruments.pages.labels("rendered").inc()
        return page

    def _make(self, body: bytes, chrome: Chrome, options: Options) -> bytes:
        with self._instruments.render_failures.count_exceptions(), self._instruments.render_seconds.time():
            rendered = render(body, options)
        return gzip.compress(self._frame(rendered, chrome).encode(errors="replace"), _LEVEL, mtime=0)
