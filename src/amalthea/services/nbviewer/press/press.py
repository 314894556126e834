"""From notebook bytes to a finished page, packed, in a process of its own.

A page is keyed by everything that shapes it: the hash of the notebook, the renderer's version, its options
and what stands around it. The key is also its ETag. A page is looked for in memory, then on the `Shelf`, where other
processes and sites put theirs, and is else made by `Workers`: from the notebook, or from what was rendered of the same
notebook for another page. Requests for one page wait for one job, and pages of one notebook for one rendering. A
notebook that was too hard is remembered, and refused at once for a while.

The note that a copy may be old is not part of a page: it is set into the finished one, so that a source that is down
costs no rendering.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.wire import encode
from amalthea.services.nbviewer.crowds import RENDER, TOO_HARD, Crowds
from amalthea.services.nbviewer.errors import SourceError, TooHard, TooOften
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once
from amalthea.services.nbviewer.press.bodies import Bodies, anywhere
from amalthea.services.nbviewer.press.packing import pack_bytes, unpack
from amalthea.services.nbviewer.press.shelf import Page, Shelf, etag
from amalthea.services.nbviewer.press.stationery import Stationery
from amalthea.services.nbviewer.press.work import Job, Kind, Made
from amalthea.services.nbviewer.press.workers import Faulty, Workers
from amalthea.services.nbviewer.render import VERSION, NotANotebook, Options
from amalthea.services.nbviewer.source import Chrome, Document

_REMEMBERED = timedelta(minutes=10)
_HARD_ONES = 4096
_WRITES = 64
_LAST_WRITES = 2.0
NOTE_MARK = b"<!--note-->"
"""Where the template leaves room for the note; everything a stranger wrote before it is escaped."""


class _Hard(msgspec.Struct, frozen=True):
    """Why a notebook is not tried again before `until`."""

    reason: str
    hint: str
    until: datetime


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made, before its sources are read."""

    kind: Kind
    documents: tuple[Document, ...]
    chrome: Chrome
    options: Options

    @property
    def private(self) -> bool:
        """Whether nothing of it may leave this process."""
        return any(document.private for document in self.documents)

    @property
    def shared(self) -> bool:
        """Whether what is rendered of it may serve other pages."""
        return self.kind is Kind.HTML and not self.private


class Press:
    """Makes pages and keeps the last ones, up to `memory` bytes.

    `paper` is what stands around notebooks; `content` is the origin of what runs scripts. A page is made again when
    it is older than `age`, because by then the store may have lost its frames.
    """

    def __init__(
        self,
        workers: Workers,
        shelf: Shelf,
        *,
        paper: Stationery,
        content: str,
        memory: int,
        age: float,
        clock: Clock,
        crowds: Crowds,
        instruments: Instruments,
    ) -> None:
        self._workers = workers
        self._shelf = shelf
        self._paper = paper
        self._content = content
        self._age = timedelta(seconds=age)
        self._pages: Memory[Page] = Memory(memory, lambda page: len(page.packed))
        self._frames: Memory[bytes] = Memory(memory, len)
        self._bodies = Bodies(shelf, memory=memory // 4, age=self._age, clock=clock)
        self._hard: Memory[_Hard] = Memory(_HARD_ONES, lambda hard: 1)
        self._once: Once[Page] = Once()
        self._renderings: Once[Page] = Once()
        self._writes: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._crowds = crowds
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

        Raises `NotANotebook`, `TooHard`, `TooOften`, `Busy`, and what reading it raises.
        """
        options = Options(
            raw_base=document.raw_base, link_base=document.link_base, content=self._content, line_numbers=line_numbers
        )
        documents = (document,) if against is None else (document, against)
        chrome = document.chrome
        around = msgspec.structs.replace(chrome, stale="", checked=None)
        key = _hash((self._paper.edition, VERSION, kind, [found.digest for found in documents], options, around))
        page = self._held(key)
        if page is None:
            order = _Order(kind=kind, documents=documents, chrome=around, options=options)
            page = await self._shared(key, order)
        return await self._noted(page, chrome) if chrome.stale else page

    async def frame(self, digest: str) -> bytes | None:
        """The gzipped document that the content origin shows at `/frame/<digest>`, where it is still held."""
        packed = self._frames.get(digest)
        if packed is None and (found := await self._shelf.frame(digest)) is not None:
            packed = found.gzip
            self._frames.put(digest, packed)
        return packed

    async def aclose(self) -> None:
        """End what is under way; give writes a moment to finish."""
        await self._once.aclose()
        await self._renderings.aclose()
        if self._writes:
            _, late = await asyncio.wait(self._writes, timeout=_LAST_WRITES)
            for task in late:
                task.cancel()

    async def settle(self) -> None:
        """Wait until everything that is being written has been."""
        while self._writes:
            await asyncio.wait(self._writes)

    def _held(self, key: str) -> Page | None:
        page = self._pages.get(key)
        if page is None or self._old(page):
            return None
        self._instruments.pages.labels("memory").inc()
        return page

    def _old(self, page: Page) -> bool:
        return page.made is not None and self._clock() - page.made > self._age

    async def _shared(self, key: str, order: _Order) -> Page:
        """The page, brought once for all who want it now; nobody pays for a stranger who asks for too much."""
        mine = not self._once.running(key)
        try:
            return await self._once.run(key, lambda: self._brought(key, order))
        except TooOften:
            if mine:
                raise
        return await self._once.run(key, lambda: self._brought(key, order))

    async def _brought(self, key: str, order: _Order) -> Page:
        """The page from the store, or made now."""
        page = None if order.private else await self._shelf.page(key)
        if page is not None and not self._old(page):
            self._instruments.pages.labels("store").inc()
        elif order.shared:
            page = await self._alike(key, order)
        else:
            page = await self._rendered(key, order)
        self._pages.put(key, page)
        return page

    async def _alike(self, key: str, order: _Order) -> Page:
        """The page, without rendering a notebook that has been, or is just being, rendered for another page."""
        (document,) = order.documents
        while (body := await self._bodies.find(document.digest, order.options)) is None:
            which = anywhere(document.digest, order.options)
            if not self._renderings.running(which):
                return await self._renderings.run(which, lambda: self._rendered(key, order))
            with suppress(SourceError, NotANotebook):  # then it is this page's turn to find that out
                await self._renderings.run(which, lambda: self._rendered(key, order))
        try:
            made = await self._made(order, body.body)
        except Faulty:  # what the store had was not what a worker writes
            return await self._rendered(key, order)
        self._instruments.pages.labels("assembled").inc()
        return await self._kept(key, order, made=made, when=body.made)

    async def _rendered(self, key: str, order: _Order) -> Page:
        made = await self._made(order)
        self._instruments.pages.labels("rendered").inc()
        for frame in made.frames:
            self._frames.put(frame.digest, frame.packed.gzip)
        if not order.private:
            # Before the page is shown: the browser may ask another process for them.
            await asyncio.gather(*(self._shelf.keep_frame(frame.digest, frame.packed) for frame in made.frames))
        if order.shared:
            self._write(self._bodies.keep(order.documents[0].digest, order.options, made))
        return await self._kept(key, order, made=made, when=self._clock())

    async def _kept(self, key: str, order: _Order, *, made: Made, when: datetime) -> Page:
        """A page that other processes find, too. It is as old as its frames."""
        page = Page(etag=etag(key), packed=made.packed, media_type=made.media_type, extension=made.extension, made=when)
        if not order.private:
            self._write(self._shelf.keep_page(key, page))
        return page

    async def _made(self, order: _Order, body: bytes = b"") -> Made:
        with self._instruments.rendering.track_inprogress(), self._instruments.waiting_seconds.time():
            what = _hash((order.kind, [document.digest for document in order.documents]))
            self._check_hard(what)
            self._crowds.charge(RENDER, "render")
            sources = () if body else tuple([await document.read() for document in order.documents])
            job = Job(kind=order.kind, sources=sources, chrome=order.chrome, options=order.options, body=body)
            try:
                with self._instruments.render_failures.count_exceptions():
                    return await self._workers.make(job, who=self._crowds.who)
            except TooHard as error:
                self._crowds.debit(TOO_HARD)
                self._hard.put(what, _Hard(error.message, error.hint, self._clock() + _REMEMBERED))
                raise

    async def _noted(self, page: Page, chrome: Chrome) -> Page:
        """The page with the note that its source did not vouch for it."""
        note = self._paper.pages.html("note.html", chrome=chrome).strip()
        key = _hash((page.etag, note))
        held = self._pages.get(key)
        if held is None:
            held = await asyncio.to_thread(_with_note, page, note.encode(), etag(key))
            self._pages.put(key, held)
        return held

    def _write(self, work: Coroutine[None, None, None]) -> None:
        """Behind the visitor's back."""
        if len(self._writes) >= _WRITES:
            work.close()
            self._instruments.store_failures.labels("crowded").inc()
            return
        task = asyncio.create_task(work)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    def _check_hard(self, what: str) -> None:
        """Raises `TooHard` for what was too hard a moment ago."""
        hard = self._hard.get(what)
        if hard is not None and self._clock() < hard.until:
            raise TooHard(hard.reason, hint=hard.hint)


def _hash(value: object) -> str:
    return hashlib.sha256(encode(value).encode(errors="surrogatepass")).hexdigest()[:32]


def _with_note(page: Page, note: bytes, etag: str) -> Page:
    """The same page with something at its mark; one without the mark, such as a program, stays as it is."""
    body = unpack(page.packed).replace(NOTE_MARK, note, 1)
    return msgspec.structs.replace(page, etag=etag, packed=pack_bytes(body, quick=True))
