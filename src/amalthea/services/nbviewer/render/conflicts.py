"""A notebook in the middle of a merge: both sides of each conflict, one after the other.

Git writes its markers on lines of their own, wherever two texts differ, so a conflict may begin in one cell and end in
the next. Each side is therefore read as a whole file; the cells that a conflict touches are shown as one side has
them, then as the other has them, and everything else once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from amalthea.services.nbviewer.render.mending import Mended, mend

_CONFLICT = re.compile(
    r"^<{7}(?:[ \t]+(?P<our_name>[^\r\n]*))?\r?\n(?P<ours>(?:(?!={7}\r?$|\|{7}|[<>]{7})[^\n]*\n)*+)"
    r"(?:\|{7}[^\n]*\n(?:(?!={7}\r?$|[<>]{7})[^\n]*\n)*+)?"
    r"={7}\r?\n(?P<theirs>(?:(?![<>]{7})[^\n]*\n)*+)>{7}(?:[ \t]+(?P<their_name>[^\r\n]*))?\r?(?:\n|\Z)",
    re.MULTILINE,
)
_MOST = 2_000

Span = tuple[int, int]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side of all conflicts: the whole file as it has it, and where in it the conflicts were."""

    name: str
    mended: Mended
    places: tuple[Span, ...]

    def touched(self) -> list[Span]:
        """For each conflict the cells that it touches, as a half-open range of their numbers."""
        return [_touched(place, self.mended.cells) for place in self.places]


class Passage(msgspec.Struct, frozen=True):
    """Cells on our side and on theirs, each as a half-open range; `conflict` where they differ."""

    ours: Span
    theirs: Span
    conflict: bool


def sides(text: str) -> tuple[Side, Side] | None:
    """Our side and theirs, or None where there is no whole conflict."""
    if not (found := [match for match, _ in zip(_CONFLICT.finditer(text), range(_MOST), strict=False)]):
        return None
    return _side(text, found, "our"), _side(text, found, "their")


def passages(ours: Side, theirs: Side) -> Iterator[Passage]:
    """The notebook from its first cell to its last."""
    at = (0, 0)
    for group in _groups(zip(ours.touched(), theirs.touched(), strict=True)):
        (first, last), (other_first, other_last) = group
        if first > at[0] or other_first > at[1]:
            yield Passage((at[0], first), (at[1], other_first), conflict=False)
        yield Passage((first, last), (other_first, other_last), conflict=True)
        at = last, other_last
    ends = len(ours.mended.cells), len(theirs.mended.cells)
    if ends[0] > at[0]:
        yield Passage((at[0], ends[0]), (at[1], ends[1]), conflict=False)


def _side(text: str, found: Sequence[re.Match[str]], which: str) -> Side:
    parts, places, position, length = list[str](), list[Span](), 0, 0
    for match in found:
        before, inside = text[position : match.start()], match[f"{which}s"]
        parts += before, inside
        length += len(before)
        places.append((length, length + len(inside)))
        length += len(inside)
        position = match.end()
    name = " ".join((found[0][f"{which}_name"] or "").split())[:100]
    return Side(name=name, mended=mend("".join([*parts, text[position:]])), places=tuple(places))


def _touched(place: Span, cells: Sequence[Span]) -> Span:
    start, stop = place
    first = last = bisect_right(cells, start, key=lambda cell: cell[1])
    while last < len(cells) and cells[last][0] < stop:
        last += 1
    return first, last


def _groups(pairs: Iterator[tuple[Span, Span]]) -> Iterator[tuple[Span, Span]]:
    """Conflicts that touch a common cell as one; those that touch none, in the metadata, are left out."""
    held: tuple[Span, Span] | None = None
    for ours, theirs in pairs:
        if ours[0] == ours[1] and theirs[0] == theirs[1]:
            continue
        if held is not None and (ours[0] < held[0][1] or theirs[0] < held[1][1]):
            held = (held[0][0], max(held[0][1], ours[1])), (held[1][0], max(held[1][1], theirs[1]))
            continue
        if held is not None:
            yield held
        held = ours, theirs
    if held is not None:
        yield held
