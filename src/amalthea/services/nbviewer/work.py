"""What is made of a notebook, away from the event loop: the job, the result, and the workshop that does it.

A job holds all that shapes its result, and both are plain values, so that the workshop may stand in another process.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from amalthea.services.nbviewer.packing import Packed, pack
from amalthea.services.nbviewer.render import VERSION, Options, Rendered, render
from amalthea.services.nbviewer.render.diff import diff
from amalthea.services.nbviewer.render.script import script
from amalthea.services.nbviewer.render.slides import has_slides, slides
from amalthea.services.nbviewer.source import Chrome
from amalthea.web.templates import Pages


class Kind(StrEnum):
    """What a notebook is made into; the word in `/format/<kind>/`."""

    HTML = "html"
    SLIDES = "slides"
    SCRIPT = "script"
    DIFF = "diff"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to make. `sources` are the bytes of the notebooks it is made of, `chrome` what stands around it."""

    kind: Kind
    sources: tuple[bytes, ...]
    chrome: Chrome
    options: Options


class PackedFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A document for the content origin, under the hash of its unpacked bytes."""

    digest: str
    packed: Packed


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page, and the documents that its frames show."""

    media_type: str
    packed: Packed
    extension: str = ""
    frames: tuple[PackedFrame, ...] = ()


class Workshop:
    """Does jobs, one at a time. `pages` has the templates."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def make(self, job: Job) -> Made:
        """Do a job. Raises `NotANotebook`."""
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
                return self._page("notebook.html", render(source, job.options), job)

    def _page(self, template: str, rendered: Rendered, job: Job, **more: Any) -> Made:
        page = self._pages.html(
            template,
            rendered=rendered,
            chrome=job.chrome,
            line_numbers=job.options.line_numbers,
            has_slides=has_slides(job.sources[0]),
            renderer=VERSION,
            **more,
        )
        return Made(
            media_type="text/html",
            packed=pack(page),
            frames=tuple(PackedFrame(digest=frame.digest, packed=pack(frame.body)) for frame in rendered.frames),
        )
