"""Bytes of a notebook to a page's body: the whole way, in one pure function."""

from __future__ import annotations

from importlib.metadata import version

import msgspec

from amalthea.services.nbviewer.render import active, formats
from amalthea.services.nbviewer.render.cells import cell
from amalthea.services.nbviewer.render.notebook import Notebook
from amalthea.services.nbviewer.render.notices import notice
from amalthea.services.nbviewer.render.page import Frame, Heading, Options, Page
from amalthea.services.nbviewer.render.reading import reading

_EDITION = 2  # count up whenever the same notebook may come out differently
VERSION = "-".join((str(_EDITION), active.edition(), *map(version, ("comrak", "nh3"))))
_DEFAULTS = Options()


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook as HTML, and what is known of it.

    title:     the notebook's own, else its first heading; empty if there is neither
    body:      a safe fragment, `<div class="nb">...</div>`, made for `static/notebook.css`
    headings:  in the order of the text
    language:  such as `python`; a stranger's text, like `title` and `kernel`: escape it
    kernel:    its display name, possibly empty
    nbformat:  such as `4.5`, possibly empty
    cells:     how many there are in the file
    problems:  what could not be shown, for people
    frames:    the documents that frames in the body refer to, each once
    tex:       whether some `<span class="tex">` in the body waits for a typesetter in the browser
    based:     whether `raw_base` or `link_base` shaped it: without, it is the same wherever the notebook stands
    """

    title: str
    body: str
    headings: tuple[Heading, ...]
    language: str
    kernel: str
    nbformat: str
    cells: int
    problems: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    tex: bool = False
    based: bool = False


def render(source: bytes, options: Options = _DEFAULTS) -> Rendered:
    """Render a notebook. Raises `NotANotebook` for bytes that are none, and nothing else."""
    found = reading(source)
    frame = formats.notebook(found.value)
    page = Page(options)
    page.widgets = frame.widgets
    for repair in found.repairs:
        page.problem(repair)
    parts = ['<div class="nb">\n']
    for number, value in enumerate(frame.cells[: options.limits.cells]):
        if number in found.notes:
            parts.append(notice(found.notes[number]))
        page.enter(number + 1, {})
        parts.append(cell(value, frame, page))
    page.enter(0, {})
    if len(frame.cells) in found.notes:
        parts.append(notice(found.notes[len(frame.cells)]))
    parts += (_rest(len(frame.cells), page), "</div>\n")
    return finished(frame, page, "".join(parts))


def finished(frame: Notebook, page: Page, body: str) -> Rendered:
    """What is known of a notebook when the last of its cells is rendered."""
    return Rendered(
        title=frame.title or next((h.text for h in page.headings if h.level == 1), ""),
        body=page.typesetter.equations.resolved(body).replace("\x00", "\N{REPLACEMENT CHARACTER}"),
        headings=tuple(page.headings),
        language=frame.language,
        kernel=frame.kernel,
        nbformat=frame.nbformat,
        cells=len(frame.cells),
        problems=tuple(page.problems),
        frames=tuple(page.frames.values()),
        tex=page.tex or page.typesetter.waiting,
        based=page.raw_base.used or page.link_base.used,
    )


def _rest(cells: int, page: Page) -> str:
    """What there is to say below the last cell that is shown."""
    if page.typesetter.exhausted:
        page.problem("there is more math than is typeset here; the rest is shown as TeX")
    if not cells:
        return notice("This notebook is empty.")
    if cells <= page.limits.cells:
        return ""
    page.problem(f"only the first {page.limits.cells:,} of {cells:,} cells are shown")
    return notice(f"Only the first {page.limits.cells:,} of {cells:,} cells are shown.")
