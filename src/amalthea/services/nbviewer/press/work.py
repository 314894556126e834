"""What is made of a notebook, away from the event loop: the job, the result, and the workshop that does it.

A job holds all that shapes its result, and both are plain values, so that the workshop may stand in another process.
The same notebook stands in many places. What is rendered of it comes back beside its page, and with that the page of
another place is made without rendering it again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import brotli
import msgspec

from amalthea.services.nbviewer.press.packing import Packed, pack
from amalthea.services.nbviewer.render import VERSION, Frame, Options, Rendered, render
from amalthea.services.nbviewer.render.diff import diff
from amalthea.services.nbviewer.render.script import script
from amalthea.services.nbviewer.render.slides import has_slides, slides
from amalthea.services.nbviewer.source import Chrome
from amalthea.web.templates import Pages

_QUICK = 2  # of brotli: it is read back once or twice


class Kind(StrEnum):
    """What a notebook is made into; the word in `/format/<kind>/`."""

    HTML = "html"
    SLIDES = "slides"
    SCRIPT = "script"
    DIFF = "diff"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to make. `sources` are the bytes of the notebooks it is made of, `chrome` what stands around it.

    `body` is what an earlier job rendered of the same notebook with the same options, and goes instead of a source.
    """

    kind: Kind
    sources: tuple[bytes, ...]
    chrome: Chrome
    options: Options
    body: bytes = b""


class PackedFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A document for the content origin, under the hash of its unpacked bytes."""

    digest: str
    packed: Packed


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page, and the documents that its frames show.

    `body` is for later jobs; `based` tells whether the notebook's place shaped it. Both are a notebook page's only.
    """

    media_type: str
    packed: Packed
    extension: str = ""
    frames: tuple[PackedFrame, ...] = ()
    body: bytes = b""
    based: bool = False


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """A rendered notebook; of its frames only the digests."""

    rendered: Rendered
    slides: bool


class Workshop:
    """Does jobs, one at a time. `pages` has the templates."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def make(self, job: Job) -> Made:
        """Do a job. Raises `NotANotebook`."""
        if job.body:
            return self._notebook(_unpacked(job.body), job)
        source = job.sources[0]
        match job.kind:
            case Kind.SCRIPT:
                program = script(source)
                return Made(media_type="text/plain", packed=pack(program.text), extension=program.extension)
            case Kind.SLIDES:
                return self._page("slides.html", slides(source, job.options), job)
            case Kind.DIFF:
                difference = diff(source, job.sources[1], job.options)
                return self._page("diff.html", difference.rendered, job, difference=difference)
            case Kind.HTML:
                return self._anew(source, job)

    def _anew(self, source: bytes, job: Job) -> Made:
        rendered = render(source, job.options)
        made = self._notebook(_Body(rendered, has_slides(source)), job)
        short = msgspec.structs.replace(rendered, frames=tuple(Frame(frame.digest, "") for frame in rendered.frames))
        packed = brotli.compress(msgspec.msgpack.encode(_Body(short, has_slides(source))), quality=_QUICK)
        return msgspec.structs.replace(made, body=bytes(packed), based=rendered.based)

    def _notebook(self, body: _Body, job: Job) -> Made:
        return self._page("notebook.html", body.rendered, job, has_slides=body.slides)

    def _page(self, template: str, rendered: Rendered, job: Job, **more: Any) -> Made:
        page = self._pages.html(
            template,
            rendered=rendered,
            chrome=job.chrome,
            line_numbers=job.options.line_numbers,
            renderer=VERSION,
            **more,
        )
        return Made(
            media_type="text/html",
            packed=pack(page),
            frames=tuple(
                PackedFrame(digest=frame.digest, packed=pack(frame.body)) for frame in rendered.frames if frame.body
            ),
        )


def _unpacked(body: bytes) -> _Body:
    return msgspec.msgpack.decode(brotli.decompress(body), type=_Body)
