"""The difference between two texts, line by line and word by word, as HTML in two columns.

Each line of the result is a row with the old line and the new one; a narrow screen shows them one below the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from amalthea.services.nbviewer.render import escape

_MOST_LINES = 600  # of one text that are compared; more are shown as removed and added
_MOST_WORDS = 300  # of one line
_CONTEXT = 3  # lines that are the same, around those that are not
_ALIKE = 0.4
_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)

Row = tuple[str | None, str | None]


def differences(old: str, new: str) -> str:
    """Both texts as rows of `<div class="row">`; long stretches that are the same are left out with a count."""
    rows = list(_rows(old.split("\n"), new.split("\n")))
    shown = "".join(_html(row) if isinstance(row, tuple) else _left_out(row) for row in rows)
    return f'<div class="lines">{shown}</div>'


def whole(text: str, *, added: bool) -> str:
    """A text that stands on one side only."""
    sides: list[Row] = [(None, line) if added else (line, None) for line in text.split("\n")]
    return f'<div class="lines">{"".join(map(_html, sides))}</div>'


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[Row | int]:
    """Rows, and numbers for how many the same lines are left out."""
    blocks = _blocks(old, new)
    for index, (same, before, after) in enumerate(blocks):
        if not same:
            yield from zip_longest(before, after)
            continue
        first, last = index == 0, index == len(blocks) - 1
        head = 0 if first else _CONTEXT
        tail = 0 if last else _CONTEXT
        if len(before) <= head + tail + 1:
            yield from zip(before, after, strict=True)
            continue
        yield from zip(before[:head], after[:head], strict=True)
        yield len(before) - head - tail
        yield from zip(before[len(before) - tail :], after[len(after) - tail :], strict=True)


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[tuple[bool, Sequence[str], Sequence[str]]]:
    if max(len(old), len(new)) > _MOST_LINES:
        return [(False, old, ()), (False, (), new)]
    codes = SequenceMatcher(None, old, new).get_opcodes()
    return [(kind == "equal", old[a:b], new[c:d]) for kind, a, b, c, d in codes]


def _html(row: Row) -> str:
    before, after = row
    if before == after:
        kind, left, right = "same", escape.text(before or ""), escape.text(after or "")
    elif before is None or after is None:
        kind = "gone" if after is None else "come"
        left, right = escape.text(before or ""), escape.text(after or "")
    else:
        kind, (left, right) = "both", _marked(before, after)
    old = f'<div class="was">{left or "&#8203;"}</div>' if before is not None else '<div class="no"></div>'
    new = f'<div class="is">{right or "&#8203;"}</div>' if after is not None else '<div class="no"></div>'
    return f'<div class="row {kind}">{old}{new}</div>'


def _marked(old: str, new: str) -> tuple[str, str]:
    """Two lines with what differs in `<del>` and `<ins>`; unmarked where nearly all of it does."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    plain = escape.text(old), escape.text(new)
    if max(len(before), len(after)) > _MOST_WORDS:
        return plain
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return plain
    left, right = [], []
    for kind, a, b, c, d in matcher.get_opcodes():
        gone, come = escape.text("".join(before[a:b])), escape.text("".join(after[c:d]))
        left.append(gone if kind == "equal" or not gone else f"<del>{gone}</del>")
        right.append(come if kind == "equal" or not come else f"<ins>{come}</ins>")
    return "".join(left), "".join(right)


def _left_out(count: int) -> str:
    return f'<p class="skipped">{count} {"line" if count == 1 else "lines"} the same</p>'
