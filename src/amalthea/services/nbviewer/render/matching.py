"""Which items of two lists belong together, in order: cells of two versions of a notebook.

First those that share a name nobody else has (a cell's id), then those with the same unique content, as far as they
stand in the same order; between them, equal beginnings and ends; and what is left in small gaps is matched by how
similar it is. Every step is bounded: time grows with the length of the lists, whatever they hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

import msgspec

_MOST_PAIRS = 900  # compared in one gap
_MOST_TEXT = 2000  # characters of each that are compared
_ALIKE = 0.5

T = TypeVar("T")


class Item(msgspec.Struct, frozen=True):
    """What is matched: `name` is its own where it is not empty, `content` all of it, `text` what it is compared by."""

    name: str
    content: str
    text: str


Pair = tuple[int | None, int | None]


def matched(old: Sequence[Item], new: Sequence[Item]) -> list[Pair]:
    """All indices of both lists in order: in pairs, or alone with None beside them."""
    pairs: list[Pair] = []
    for before, after in _gaps(old, new, _anchors(old, new)):
        pairs += _ends(old, new, before, after)
    return pairs


def _anchors(old: Sequence[Item], new: Sequence[Item]) -> list[tuple[int, int]]:
    """Items that are surely the same, in order in both lists."""
    named = _unique(old, new, lambda item: item.name)
    taken_old, taken_new = {a for a, _ in named}, {b for _, b in named}
    same = [
        (a, b) for a, b in _unique(old, new, lambda item: item.content) if a not in taken_old and b not in taken_new
    ]
    return _increasing(sorted(named + same))


def _unique(old: Sequence[Item], new: Sequence[Item], key: Callable[[Item], str]) -> list[tuple[int, int]]:
    """The pairs that share a key which stands once in each list."""
    once = [{k for k, n in Counter(map(key, items)).items() if n == 1 and k} for items in (old, new)]
    places = {key(item): index for index, item in enumerate(new)}
    return [(index, places[key(item)]) for index, item in enumerate(old) if key(item) in once[0] & once[1]]


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs whose second numbers grow as the first do."""
    ends: list[int] = []
    chain: list[int] = []
    before: list[int | None] = []
    for index, (_, place) in enumerate(pairs):
        at = bisect_left(ends, place)
        before.append(chain[at - 1] if at else None)
        ends[at : at + 1] = [place]
        chain[at : at + 1] = [index]
    found, index_or_none = [], chain[-1] if chain else None
    while index_or_none is not None:
        found.append(pairs[index_or_none])
        index_or_none = before[index_or_none]
    return found[::-1]


def _gaps(
    old: Sequence[Item], new: Sequence[Item], anchors: Sequence[tuple[int, int]]
) -> Iterator[tuple[range, range]]:
    """The stretches between anchors, and each anchor as a stretch of its own."""
    at = (0, 0)
    for a, b in anchors:
        yield range(at[0], a), range(at[1], b)
        yield range(a, a + 1), range(b, b + 1)
        at = (a + 1, b + 1)
    yield range(at[0], len(old)), range(at[1], len(new))


def _ends(old: Sequence[Item], new: Sequence[Item], before: range, after: range) -> list[Pair]:
    """A stretch: equal items at its beginning and its end, and what is between them by similarity."""
    if len(before) == len(after) == 1 and old[before[0]].name == new[after[0]].name != "":
        return [(before[0], after[0])]
    head = _equal(old, new, before, after)
    rest_old, rest_new = before[head:], after[head:]
    tail = _equal(old, new, rest_old[::-1], rest_new[::-1])
    middle = _alike(old, new, rest_old[: len(rest_old) - tail], rest_new[: len(rest_new) - tail])
    last = zip(rest_old[len(rest_old) - tail :], rest_new[len(rest_new) - tail :], strict=True)
    return [*zip(before[:head], after[:head], strict=True), *middle, *last]


def _equal(old: Sequence[Item], new: Sequence[Item], before: range, after: range) -> int:
    """How many items are the same from the start."""
    count = 0
    for a, b in zip(before, after, strict=False):
        if old[a].content != new[b].content:
            break
        count += 1
    return count


def _alike(old: Sequence[Item], new: Sequence[Item], before: range, after: range) -> list[Pair]:
    """The best pairs in order among those alike enough; none where there would be too many to compare."""
    if not before or not after or len(before) * len(after) > _MOST_PAIRS:
        return [*((a, None) for a in before), *((None, b) for b in after)]
    likeness = [[_likeness(old[a].text, new[b].text) for b in after] for a in before]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            together = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] >= _ALIKE else 0.0
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < len(before) and j < len(after):
        if likeness[i][j] >= _ALIKE and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((before[i], after[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((before[i], None))
            i += 1
        else:
            pairs.append((None, after[j]))
            j += 1
    return [*pairs, *((a, None) for a in before[i:]), *((None, b) for b in after[j:])]


def _likeness(old: str, new: str) -> float:
    """From 0 to 1; texts of very different length are not alike."""
    old, new = old[:_MOST_TEXT], new[:_MOST_TEXT]
    matcher = SequenceMatcher(None, old.split(), new.split())
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0.0
    return matcher.ratio()
