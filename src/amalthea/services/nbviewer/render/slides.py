"""A notebook as slides: its cells in nested sections, as Reveal.js shows them.

What each cell is to the talk its author said in `metadata.slideshow.slide_type`: `slide` starts a slide, `subslide`
one below it, `fragment` a part that appears later, `skip` is left out, `notes` are the speaker's; everything else
continues what is there. The sections stand in the page one below the other, so it reads well without a script, too.
"""

from __future__ import annotations

import re
from typing import Any

from amalthea.services.nbviewer.render import formats
from amalthea.services.nbviewer.render.cells import cell
from amalthea.services.nbviewer.render.page import Options, Page
from amalthea.services.nbviewer.render.reading import read
from amalthea.services.nbviewer.render.rendering import Rendered, finished

_SAID = re.compile(rb'"slide_type"\s*:\s*"(?:slide|subslide|fragment|skip|notes)"')
_DEFAULTS = Options()


def has_slides(source: bytes) -> bool:
    """Whether the author of a notebook made slides of it, as far as its bytes tell without being read."""
    return _SAID.search(source) is not None


def slides(source: bytes, options: Options = _DEFAULTS) -> Rendered:
    """A notebook as slides; `body` is a row of `<section>`. Raises `NotANotebook` for bytes that are none."""
    frame = formats.notebook(read(source))
    page = Page(options)
    page.widgets = frame.widgets
    deck = _Deck()
    for number, value in enumerate(frame.cells[: options.limits.cells], start=1):
        page.enter(number, {})
        kind = _slide_type(value)
        if kind != "skip":
            deck.add(kind, _inside_a_slide(cell(value, frame, page)))
    page.enter(0, {})
    return finished(frame, page, deck.html())


class _Deck:
    """Slides that grow: each a list of the slides below one another, each of those a list of HTML."""

    def __init__(self) -> None:
        self._slides: list[list[list[str]]] = []
        self._in_fragment = False

    def add(self, kind: str, html: str) -> None:
        """The next cell; `html` may be empty."""
        if kind == "notes" and self._slides:
            self._end_fragment()
            self._slides[-1][-1].append(f'<aside class="notes" aria-label="Notes">{html}</aside>\n')
            return
        if kind == "slide" or not self._slides:
            self._end_fragment()
            self._slides.append([[]])
        elif kind == "subslide":
            self._end_fragment()
            self._slides[-1].append([])
        elif kind == "fragment":
            self._end_fragment()
            self._slides[-1][-1].append('<div class="fragment">')
            self._in_fragment = True
        self._slides[-1][-1].append(html)

    def html(self) -> str:
        """All of it."""
        self._end_fragment()
        columns = ("\n".join(f"<section>{''.join(parts)}</section>" for parts in slide) for slide in self._slides)
        return "\n".join(f"<section>\n{column}\n</section>" for column in columns)

    def _end_fragment(self) -> None:
        if self._in_fragment:
            self._slides[-1][-1].append("</div>")
            self._in_fragment = False


def _inside_a_slide(html: str) -> str:
    """Reveal takes every section for a slide, so a cell's own ones, and those of its text, become plain boxes."""
    framed = html.replace('<section class="cell', '<div role="group" class="cell', 1)
    return framed.replace("<section", "<div").replace("</section", "</div")


def _slide_type(value: Any) -> str:
    metadata = formats.mapping(formats.mapping(value).get("metadata"))
    kind = formats.mapping(metadata.get("slideshow")).get("slide_type")
    return kind if isinstance(kind, str) else "-"
