"""What is made of a notebook, away from the event loop: the job, the result, and the workshop that does it.

A job holds all that shapes its result, and both are plain values, so that the workshop may stand in another process.
"""

from __future__ import annotations

import gzip
from enum import StrEnum

import msgspec

from amalthea.services.nbviewer.render import VERSION, Options, render
from amalthea.services.nbviewer.source import Chrome
from amalthea.web.templates import Pages

_LEVEL = 6


class Kind(StrEnum):
    """What a notebook is made into; the word in `/format/<kind>/`."""

    HTML = "html"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to make. `sources` are the bytes of the notebooks it is made of, `chrome` what stands around it."""

    kind: Kind
    sources: tuple[bytes, ...]
    chrome: Chrome
    options: Options


class PackedFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A document for the content origin, gzipped, under the hash of its unpacked bytes."""

    digest: str
    packed: bytes


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page, gzipped, and the documents that its frames show."""

    media_type: str
    packed: bytes
    frames: tuple[PackedFrame, ...] = ()


class Workshop:
    """Does jobs, one at a time. `pages` has the templates."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def make(self, job: Job) -> Made:
        """Do a job. Raises `NotANotebook`."""
        rendered = render(job.sources[0], job.options)
        page = self._pages.html("notebook.html", rendered=rendered, chrome=job.chrome, renderer=VERSION)
        return Made(
            media_type="text/html",
            packed=_packed(page),
            frames=tuple(PackedFrame(digest=frame.digest, packed=_packed(frame.body)) for frame in rendered.frames),
        )


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode(errors="replace"), _LEVEL, mtime=0)
