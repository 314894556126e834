"""Markdown into safe HTML: formulas out, GitHub's Markdown, cleaning, then formulas, colours and anchors in.

The order is the safety: everything that comes from the notebook is cleaned before anything of ours is put in, and what
is put in (MathML, coloured code, anchors) was escaped where it was made. A formula's place can turn up inside a tag
(the title of a link) or in code; there it becomes text again.
"""

from __future__ import annotations

import html
import re
from functools import cache
from urllib.parse import quote

import comrak

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.cleaning import Cleaned, bare
from amalthea.services.nbviewer.render.colours.code import highlight
from amalthea.services.nbviewer.render.math.formulas import Protected, protect
from amalthea.services.nbviewer.render.notices import left_out, too_long, too_tangled
from amalthea.services.nbviewer.render.page import Page

_CHECKBOX = re.compile(r'<input type="checkbox"( checked="")? disabled="" />')
_TIGHT_HEADING = re.compile(r"^(#{1,6})(?=[^#\s])", re.MULTILINE)  # "##Title": a heading until Markdown had a standard
_EMBEDDED = re.compile(r"data:image/[a-z+]{3,8};base64,[A-Za-z0-9+/=]*")
_HEADING = re.compile(r"<h([1-6])((?: [a-z]+=\"[^\"]*\")*)>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_FENCE = re.compile(r'<pre><code class="language-([^" ]*)">([^<]*)</code></pre>')
_RULES = re.compile(r"^[ \t>*+.)\d]*[|:\-][ \t|:\-]+$", re.MULTILINE)  # between the head of a table and its rows
_MOST_CELLS, _MOST_NOTES = 100_000, 2_000
_SCROLL = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'


@cache
def _options(*, tables: bool, footnotes: bool) -> tuple[comrak.ExtensionOptions, comrak.RenderOptions]:
    extensions, rendering = comrak.ExtensionOptions(), comrak.RenderOptions()
    extensions.strikethrough = extensions.tasklist = extensions.autolink = extensions.alerts = True
    extensions.table, extensions.footnotes = tables, footnotes
    rendering.unsafe_ = True  # cleaned afterwards
    return extensions, rendering


def markdown(source: str, page: Page) -> str:
    """A Markdown text as safe HTML; its headings are noted on the page."""
    if len(source) > page.limits.html and len(_EMBEDDED.sub("", source)) > page.limits.html:
        return too_long(source, page, page.limits.html)
    if "#" in source and "```" not in source and "~~~" not in source:
        source = _TIGHT_HEADING.sub(r"\1 ", source)
    protected = protect(source)
    raw = _to_html(protected.text)
    # Without a `<` of its own, a text holds no HTML, and all tags are comrak's.
    ours = "<" not in protected.text and bare(raw)
    cleaned = Cleaned(raw.replace(" />", ">"), ()) if ours else page.cleaner.clean(raw)
    if cleaned is None:
        return too_tangled(source, page)
    safe = cleaned.html
    if "<h" in safe:
        safe = _HEADING.sub(lambda found: _anchored(found, protected, page), safe)
    if "<table" in safe:
        safe = scrolling(safe)
    if '<pre><code class="language-' in safe:
        safe = _FENCE.sub(lambda found: _coloured(found, protected), safe)
    if protected.formulas:
        safe = _with_formulas(safe, protected, page)
    return safe + left_out(cleaned.removed, page)


def scrolling(safe: str) -> str:
    """Cleaned HTML whose wide tables scroll by themselves."""
    return safe.replace("<table", f"{_SCROLL}<table").replace("</table>", "</table></div>")


def _to_html(text: str) -> str:
    """GitHub's Markdown, without the two extensions that can make a page out of a line, where that is tried."""
    extensions, rendering = _options(tables=_cells(text) <= _MOST_CELLS, footnotes=text.count("[^") <= _MOST_NOTES)
    raw = comrak.render_markdown(text, extensions, None, rendering)
    if 'type="checkbox"' in raw:
        raw = _CHECKBOX.sub(lambda box: "\N{BALLOT BOX WITH CHECK}" if box[1] else "\N{BALLOT BOX}", raw)
    return raw


def _cells(text: str) -> int:
    """How many cells the tables can have: short rows are filled up to the widest head of the text."""
    widest = max((line.count("|") for line in _RULES.findall(text)), default=0)
    return widest * text.count("\n")


def _anchored(found: re.Match[str], protected: Protected, page: Page) -> str:
    """A heading with an id and a link to itself."""
    level, attributes, inside = found[1], found[2], found[3]
    words = html.unescape(_TAG.sub("", inside))
    if protected.formulas:
        words = re.sub(rf"{protected.mark}(\d+)x", lambda n: protected.formulas[int(n[1])].source, words)
    words = " ".join(words.split())[:200]
    heading = page.heading(int(level), words) if words else None
    if heading is None:
        return found[0]
    place = escape.attribute(heading.id)
    own = "" if ' id="' in attributes else f' id="{place}"'
    outer = "" if own else f'<span id="{place}"></span>'
    link = "" if "<a " in inside else f'<a class="anchor" href="#{place}" aria-label="Link to this heading">#</a>'
    return f"<h{level}{attributes}{own}>{outer}{inside}{link}</h{level}>"


def _coloured(found: re.Match[str], protected: Protected) -> str:
    code = html.unescape(found[2])
    if protected.formulas:
        code = re.sub(rf"{protected.mark}(\d+)x", lambda n: protected.formulas[int(n[1])].source, code)
    return f"<pre><code>{highlight(code, found[1].lower())}</code></pre>"


def _with_formulas(safe: str, protected: Protected, page: Page) -> str:
    """Typeset formulas in text; their source in code and inside tags."""
    place = re.compile(rf"{protected.mark}(\d+)x")
    pattern = re.compile(
        rf'(<(code|pre)\b[^>]*>.*?</\2>)|(<[a-zA-Z/](?:[^">]|"[^"]*")*+>)|{protected.mark}(\d+)x', re.DOTALL
    )

    def source(found: re.Match[str]) -> str:
        return escape.attribute(protected.formulas[int(found[1])].source)

    def quoted(found: re.Match[str]) -> str:
        return quote(protected.formulas[int(found[1])].source, safe="")

    def put(found: re.Match[str]) -> str:
        if found[4]:
            return page.typesetter.html(protected.formulas[int(found[4])])
        if protected.mark not in found[0]:
            return found[0]
        if found[1]:
            return place.sub(source, found[1])
        return place.sub(quoted, _READ_ALOUD.sub(lambda name: place.sub(source, name[0]), found[3]))

    return pattern.sub(put, safe)


_READ_ALOUD = re.compile(r' (?:alt|title)="[^"]*"')
