"""Notebooks as files that need no server: one HTML file with its styles and scripts inside, slides, or a program.

What would run scripts is shown as its passive stand-in with a notice: a frame needs an origin of its own to be safe,
and a file has none.
"""

from __future__ import annotations

import re

import msgspec

from amalthea.services.nbviewer.press.work import Kind
from amalthea.services.nbviewer.render import VERSION, NotANotebook, Options, Rendered, render
from amalthea.services.nbviewer.render.script import script
from amalthea.services.nbviewer.render.slides import slides
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages

PACKAGE = "amalthea.services.nbviewer"
_FONT = re.compile(r",?\s*url\(\"[^\"]*\.woff2\"\)\s*format\(\"woff2\"\)")
FORMATS = (Kind.HTML, Kind.SLIDES, Kind.SCRIPT)

__all__ = ["FORMATS", "Kind", "NotANotebook", "Standalone", "Written"]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A file to write: its text, how its name ends, and what of the notebook it does not show."""

    text: str
    extension: str
    problems: tuple[str, ...] = ()


class Standalone:
    """Makes such files."""

    def __init__(self) -> None:
        self._static = StaticFiles("amalthea.web", PACKAGE)
        self._pages = Pages(self._static, PACKAGE, inlined=self._inlined)

    def _inlined(self, name: str) -> str:
        """A static file, without the fonts it would fetch: a file has the reader's own."""
        return _FONT.sub("", self._static.text(name))

    def make(self, source: bytes, *, name: str, kind: Kind) -> Written:
        """A notebook as a file; `name` is its title where it has none. Raises `NotANotebook`."""
        if kind is Kind.SCRIPT:
            program = script(source)
            return Written(text=program.text, extension=program.extension)
        if kind is Kind.SLIDES:
            return self._page("standalone_slides.html", slides(source, Options()), name, ".slides.html")
        return self._page("standalone.html", render(source, Options()), name, ".html")

    def _page(self, template: str, rendered: Rendered, name: str, extension: str) -> Written:
        text = self._pages.html(template, rendered=rendered, name=name, renderer=VERSION)
        return Written(text=text, extension=extension, problems=rendered.problems)
