"""The difference between two notebooks, cell by cell, as one page.

Cells that belong together stand side by side with their texts compared; runs of cells that are the same are folded
away. Outputs are compared as what they hold, without their counts, and are shown on both sides where they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from amalthea.services.nbviewer.render import escape, formats
from amalthea.services.nbviewer.render.cells import cell
from amalthea.services.nbviewer.render.guarding import guarded
from amalthea.services.nbviewer.render.line_changes import differences, whole
from amalthea.services.nbviewer.render.matching import Item, matched
from amalthea.services.nbviewer.render.notebook import Notebook
from amalthea.services.nbviewer.render.notices import notice
from amalthea.services.nbviewer.render.page import Options, Page
from amalthea.services.nbviewer.render.reading import read
from amalthea.services.nbviewer.render.rendering import Rendered, finished

_MOST_CELLS = 3000
_COUNTS = ("execution_count", "prompt_number")
_TRANSIENT = frozenset({"execution", "ExecuteTime", "executionInfo", "outputId", "collapsed", "scrolled"})
_DEFAULTS = Options()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two notebooks compared: the page as that of the newer one, and how many cells are what."""

    rendered: Rendered
    same: int
    changed: int
    added: int
    removed: int


class _Cell(msgspec.Struct, frozen=True):
    """A cell as it is compared."""

    value: Any
    kind: str
    source: str
    outputs: Sequence[Any]
    metadata: Mapping[str, Any]
    id: str

    @property
    def content(self) -> str:
        """All that makes it what it is, as text."""
        parts = (self.kind, self.source, _plain(self.outputs), _plain(self.metadata))
        return "\0".join(parts)


class _Side(msgspec.Struct, frozen=True):
    """One of the two notebooks."""

    frame: Notebook
    metadata: Mapping[str, Any]
    cells: Sequence[_Cell]


def diff(new: bytes, old: bytes, options: Options = _DEFAULTS) -> Difference:
    """Compare two notebooks. Raises `NotANotebook` where one of them is none."""
    after, before = _side(new), _side(old)
    page = Page(options, language=after.frame.language)
    pairs = matched(*([Item(c.id, c.content, c.source) for c in side.cells] for side in (before, after)))
    shown = [(_state(before, after, pair), pair) for pair in pairs]
    parts = ['<div class="nb diff">\n', _about(before, after)]
    number = 0
    for state, run in groupby(shown, key=lambda entry: entry[0]):
        stretch = []
        for _, (a, b) in run:
            number += 1
            page.enter(number, {})
            stretch.append(_row(state, before, after, (a, b), page))
        parts.append(_same(stretch) if state == "same" else "".join(stretch))
    page.enter(0, {})
    if max(len(side.frame.cells) for side in (before, after)) > _MOST_CELLS:
        page.problem(f"only the first {_MOST_CELLS:,} cells are compared")
        parts.append(notice(f"Only the first {_MOST_CELLS:,} cells are compared."))
    counts = {name: sum(state == name for state, _ in shown) for name in ("same", "changed", "added", "removed")}
    return Difference(rendered=finished(after.frame, page, "".join([*parts, "</div>\n"])), **counts)


def _side(source: bytes) -> _Side:
    value = read(source)
    frame = formats.notebook(value)
    cells = tuple(_cell(value, frame) for value in frame.cells[:_MOST_CELLS])
    return _Side(frame, formats.mapping(formats.mapping(value).get("metadata")), cells)


def _cell(value: Any, frame: Notebook) -> _Cell:
    """A cell, as far as it can be read."""
    try:
        made = formats.cell(value, frame)
    except (ValueError, OverflowError, RecursionError):
        return _Cell(value, "broken", _plain(value), (), {}, "")
    given = formats.mapping(value)
    metadata = {k: v for k, v in formats.mapping(given.get("metadata")).items() if k not in _TRANSIENT}
    name = given.get("id")
    outputs = tuple(map(_without_count, made.outputs))
    return _Cell(value, made.kind, made.source, outputs, metadata, name if isinstance(name, str) else "")


def _without_count(output: Any) -> Any:
    """An output without its number, and with its texts in one piece: editors cut them differently."""
    if not isinstance(output, dict):
        return output
    found = {key: value for key, value in output.items() if key not in _COUNTS}
    data = formats.mapping(found.get("data"))
    if data:
        found["data"] = {kind: formats.joined(value) for kind, value in data.items()}
    if "text" in found:
        found["text"] = formats.joined(found["text"])
    return found


def _plain(value: Any) -> str:
    try:
        return msgspec.json.encode(value, order="sorted").decode()
    except (ValueError, OverflowError, RecursionError, TypeError):
        return repr(type(value))


def _state(before: _Side, after: _Side, pair: tuple[int | None, int | None]) -> str:
    a, b = pair
    if a is None:
        return "added"
    if b is None:
        return "removed"
    return "same" if before.cells[a].content == after.cells[b].content else "changed"


def _row(state: str, before: _Side, after: _Side, pair: tuple[int | None, int | None], page: Page) -> str:
    a, b = pair
    old = before.cells[a] if a is not None else None
    new = after.cells[b] if b is not None else None
    if state == "same" and new is not None:
        return _cell_of(after.frame, new.value, page)
    inside = guarded(lambda: _compared(old, new, (before, after), page), "the comparison of a cell", page)
    numbers = " → ".join(str(index + 1) for index in dict.fromkeys((a, b)) if index is not None)
    label = f"Cell {numbers}, {state}"
    return (
        f'<section class="pair {state}" id="change-{page.cell}" aria-label="{label}">'
        f'<p class="state">{label}</p>{inside}</section>\n'
    )


def _compared(old: _Cell | None, new: _Cell | None, sides: tuple[_Side, _Side], page: Page) -> str:
    limit = page.limits.source
    if old is None or new is None:
        one, frame = (new, sides[1].frame) if old is None else (old, sides[0].frame)
        assert one is not None
        shown = whole(one.source[:limit], added=old is None)
        return shown + (_outputs(one, frame, page) if one.outputs else "")
    parts = []
    if old.kind != new.kind:
        parts.append(notice(f"It was {old.kind or 'nameless'} and is {new.kind or 'nameless'}."))
    if old.source != new.source:
        parts.append(differences(old.source[:limit], new.source[:limit]))
    else:
        parts.append(f'<details class="fold"><summary>The same source</summary>{_source(new)}</details>')
    if _plain(old.outputs) != _plain(new.outputs):
        was, now = _outputs(old, sides[0].frame, page), _outputs(new, sides[1].frame, page)
        parts.append(f'<div class="sides"><div class="side">{was}</div><div class="side">{now}</div></div>')
    elif new.outputs:
        parts.append('<p class="state">The same outputs</p>')
    changed = _keys(old.metadata, new.metadata)
    if changed:
        parts.append(f'<p class="state">Metadata: {changed}</p>')
    return "".join(parts)


def _source(shown: _Cell) -> str:
    return f'<pre class="source"><code>{escape.text(shown.source[:20_000])}</code></pre>'


def _outputs(shown: _Cell, frame: Notebook, page: Page) -> str:
    """The outputs alone."""
    if not shown.outputs:
        return notice("No outputs.")
    alone = {"cell_type": "code", "source": "", "metadata": {}, "outputs": list(shown.outputs)}
    return _cell_of(frame, alone, page).replace(f' id="cell-{page.cell}"', "", 1)  # there may be two side by side


def _cell_of(frame: Notebook, value: Any, page: Page) -> str:
    """A cell with the widgets of its own notebook: the other may have the same ones in another state."""
    page.widgets = frame.widgets
    return cell(value, frame, page)


def _same(stretch: Sequence[str]) -> str:
    count = len(stretch)
    words = "1 cell is the same" if count == 1 else f"{count} cells are the same"
    return f'<details class="unchanged"><summary>{words}</summary>\n{"".join(stretch)}</details>\n'


def _about(before: _Side, after: _Side) -> str:
    """What is different about the notebooks as a whole."""
    changed = _keys(before.metadata, after.metadata)
    told = f'<p class="state">Metadata of the notebook: {changed}</p>' if changed else ""
    if before.frame.nbformat != after.frame.nbformat:
        told += notice(f"Format {before.frame.nbformat or 'unknown'} became {after.frame.nbformat or 'unknown'}.")
    return told


def _keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The names of what differs, escaped."""
    names = sorted({*before, *after})
    differing = [name for name in names if _plain(before.get(name)) != _plain(after.get(name))]
    more = f" and {len(differing) - 10} more" if len(differing) > 10 else ""
    return ", ".join(f"<code>{escape.text(name[:60])}</code>" for name in differing[:10]) + more
