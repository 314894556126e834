"""One cell as a `<section>`: its prompt, its source, its outputs, folded the way its author left it."""

from __future__ import annotations

from typing import Any

from amalthea.services.nbviewer.render import escape, formats
from amalthea.services.nbviewer.render.bundles import bundle
from amalthea.services.nbviewer.render.colours.code import highlight
from amalthea.services.nbviewer.render.guarding import guarded
from amalthea.services.nbviewer.render.lines import numbered
from amalthea.services.nbviewer.render.markdown import markdown
from amalthea.services.nbviewer.render.notebook import Bundle, Cell, Notebook
from amalthea.services.nbviewer.render.notices import notice
from amalthea.services.nbviewer.render.outputs import outputs
from amalthea.services.nbviewer.render.page import Page

_NAMES = {"markdown": "text", "code": "code", "raw": "raw text"}
_SHOWN = ("text/html", "text/latex", "text/markdown", "image/svg+xml")  # what of raw cells is shown as what it is
_CODE = {"text/x-python": "python", "application/x-python": "python", "application/json": "json"}


def cell(value: Any, frame: Notebook, page: Page) -> str:
    """A cell as HTML; empty where its author removed it. Raises nothing."""
    made = guarded(lambda: _section(formats.cell(value, frame), page), "the whole cell", page)
    return made if made.startswith("<section") or not made else _framed("broken", "not shown", made, page)


def _section(made: Cell, page: Page) -> str:
    page.enter(page.cell, made.attachments)
    if made.folding.remove_cell:
        return ""
    source = _cut(made.source, page)
    if made.kind == "code":
        return _framed("code", _NAMES["code"], _code(made, source, page), page)
    if made.kind == "markdown":
        body = f'<div class="text">{markdown(source, page)}</div>' if source.strip() else ""
        return _framed("markdown", _NAMES["markdown"], _folded(body, made, "Text"), page)
    if made.kind == "html":  # of formats 2 and 3
        return _framed("markdown", _NAMES["markdown"], _folded(_as("text/html", source, page), made, "Text"), page)
    return _raw(made, source, page)


def _framed(kind: str, name: str, inside: str, page: Page) -> str:
    return (
        f'<section class="cell {kind}" id="cell-{page.cell}" aria-label="Cell {page.cell}, {name}">{inside}</section>\n'
    )


def _code(made: Cell, source: str, page: Page) -> str:
    folding = made.folding
    parts = []
    if not folding.remove_source and (source.strip() or not made.outputs):
        body = _coloured(source, made.language, page)
        prompt = f'<div class="prompt">[{made.count or " "}]</div>'
        code = f'<pre class="source"><code>{body}</code></pre>'
        parts.append(f'<div class="in">{prompt}{_folded(code, made, "Code")}</div>')
    if not folding.remove_outputs and made.outputs:
        shown = outputs(made.outputs, page)
        if shown and folding.scrolled:
            shown = f'<div class="scrolled" tabindex="0" role="region" aria-label="Long output">{shown}</div>'
        if shown:
            parts.append(
                f'<div class="outs">{_hidden(shown, "Output hidden") if folding.hide_outputs else shown}</div>'
            )
    return "".join(parts)


def _coloured(source: str, language: str, page: Page) -> str:
    body = highlight(source, language) if len(source) <= page.limits.highlighted else escape.text(source)
    return numbered(body) if page.options.line_numbers else body


def _raw(made: Cell, source: str, page: Page) -> str:
    if made.mime in _SHOWN:
        body = _as(made.mime, source, page)
    else:
        text = highlight(source, _CODE.get(made.mime, "text")) if made.mime in _CODE else escape.text(source)
        body = f'<pre class="rawtext">{text}</pre>' if source.strip() else ""
    if made.kind == "raw":
        return _framed("raw", _NAMES["raw"], _folded(body, made, "Raw text"), page)
    page.problem(f"a cell of an unknown kind ({made.kind or 'nameless'})")
    said = notice(f"A cell of a kind that is not known here ({made.kind or 'nameless'}); its text as it is.")
    return _framed("raw", "of an unknown kind", said + body, page)


def _as(mime: str, source: str, page: Page) -> str:
    """A text as what it says it is, if that can be shown."""
    return bundle(Bundle(data={mime: source, "text/plain": source}, metadata={}), page)


def _folded(inside: str, made: Cell, name: str) -> str:
    """The source of a cell, which its author may have hidden, under a name for that."""
    if not made.folding.hide_source:
        return inside
    return _hidden(inside, f"{made.label} ({name.lower()} hidden)" if made.label else f"{name} hidden")


def _hidden(inside: str, summary: str) -> str:
    """Hidden parts can be opened, without a script."""
    return f'<details class="fold"><summary>{escape.text(summary)}</summary>{inside}</details>' if inside else inside


def _cut(source: str, page: Page) -> str:
    if len(source) <= page.limits.source:
        return source
    page.problem(f"only the first {page.limits.source:,} of {len(source):,} characters are shown")
    return source[: page.limits.source]
