"""Bytes into JSON values, leniently.

The fast reader takes what the standard allows. What it refuses goes to the reader of the standard library, which
knows the habits of Python programs: `NaN` and `Infinity`, lone surrogates, numbers too large for a double. What that
refuses is mended: files that break off, unfinished merges, commas and brackets lost by hand. Bytes that are no UTF-8
are read as Latin-1, as the programs did that wrote them. What comes out can always be encoded as UTF-8.

Every repair is told; notes say at which cell.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from amalthea.services.nbviewer.render import conflicts
from amalthea.services.nbviewer.render.errors import NotANotebook
from amalthea.services.nbviewer.render.mending import DEEPEST, Mended, mend

_MAX_DIGITS = 4000  # the interpreter refuses to convert longer integers
_MOST_DOCUMENTS = 20
_CUT = "the file breaks off before its end; what is whole is shown"
_WIDE = (  # the first bytes of text in wide characters, with and without a mark
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"{\x00", "utf-16-le"),
    (b"\x00{", "utf-16-be"),
)
_ODD_BYTES = re.compile("[\udc80-\udcff]+")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON value, and what was done to get it.

    repairs:  for people, a sentence each
    notes:    what to say before the cell of this number, counted from 0; after the last one, too
    """

    value: Any
    repairs: tuple[str, ...] = ()
    notes: Mapping[int, str] = msgspec.field(default_factory=dict)


def read(source: bytes) -> Any:
    """The JSON value in `source`, mended where it has to be. Raises `NotANotebook`."""
    return reading(source).value


def reading(source: bytes) -> Reading:
    """The JSON value in `source`, and what was mended. Raises `NotANotebook`."""
    source = source.removeprefix(codecs.BOM_UTF8)
    try:
        return Reading(value=msgspec.json.decode(source))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_leniently(source)


def _read_leniently(source: bytes) -> Reading:
    text, told = _text(source)
    try:
        return Reading(value=_encodable(json.loads(text, parse_int=_integer, strict=False)), repairs=told)
    except json.JSONDecodeError as error:
        found = _unmerged(text) if "<<<<<<<" in text else None
        found = found or _mended(text, f"{error.msg} in line {error.lineno}, column {error.colno}")
        if found is None:
            raise NotANotebook(
                f"This file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
                hint=_advice(source),
            ) from error
    except RecursionError as error:
        found = _mended(text, "")
        if found is None:
            raise NotANotebook(
                "This file is JSON that is nested too deeply for a notebook.",
                hint="No notebook program writes such files.",
            ) from error
    return msgspec.structs.replace(found, value=_encodable(found.value), repairs=(*told, *found.repairs))


def _text(source: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of the file, and what is odd about its characters."""
    for start, encoding in _WIDE:
        if source.startswith(start):
            return source.decode(encoding, "replace"), ()
    text = source.decode("utf-8", "surrogateescape")
    made, odd = _ODD_BYTES.subn(
        lambda found: found[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace"), text
    )
    places = f"{odd:,} place{'' if odd == 1 else 's'}"
    return made, (f"the file is not UTF-8 in {places}; what stands there was read as Latin-1",) if odd else ()


def _mended(text: str, wrong: str) -> Reading | None:
    """What can be understood of a broken file; None where that has no cell."""
    first = mend(text) if text[:1000].lstrip()[:1] in ("{", "[") else None
    if first is None or not first.cells:
        return None
    repairs, notes, value = list[str](), dict[int, str](), first.value
    if first.breaks_off:
        repairs.append(_CUT)
        notes[len(first.cells)] = "The file breaks off here."
    elif first.end == len(text.rstrip()) and not first.too_deep:
        repairs.append(f"the file is not quite JSON ({wrong}); it is shown as far as it can be understood")
    if first.too_deep:
        repairs.append(f"what is nested deeper than {DEEPEST} levels is left out")
    if text[first.end :].strip():
        value = _with_more(text, first, repairs, notes)
    return Reading(value=value, repairs=tuple(repairs), notes=notes)


def _with_more(text: str, first: Mended, repairs: list[str], notes: dict[int, str]) -> Any:
    """The first of several values in one file, with the cells of those after it."""
    cells, end = _cells(first), first.end
    for number in range(2, _MOST_DOCUMENTS + 1):
        more = mend(text, end)
        if not more.cells:
            break
        notes[len(cells)] = f"Here notebook number {number} of this file begins."
        cells += _cells(more)
        end = more.end
    if len(cells) > len(first.cells):
        repairs.append("the file holds several notebooks, one after the other; all are shown")
    if rest := len(text[end:].strip()):
        repairs.append(f"what follows the end of the notebook is left out ({rest:,} characters)")
    return _whole(first, cells) if len(cells) > len(first.cells) else first.value


def _unmerged(text: str) -> Reading | None:
    """A file with the markers of a merge: both sides; None where there is no conflict or no cell."""
    both = conflicts.sides(text)
    if both is None or not (both[0].mended.cells or both[1].mended.cells):
        return None
    ours, theirs = both
    names = [side.name or other for side, other in zip(both, ("one side", "the other side"), strict=True)]
    mine, other = _cells(ours.mended), _cells(theirs.mended)
    cells, notes, met = list[Any](), dict[int, str](), 0
    for passage in conflicts.passages(ours, theirs):
        left, right = mine[slice(*passage.ours)], other[slice(*passage.theirs)]
        if passage.conflict and left != right:
            met += 1
            notes[len(cells)] = _marked(names[0], left)
            cells += left
            notes[len(cells)] = " ".join(filter(None, (notes.get(len(cells)), _marked(names[1], right))))
            cells += right
            notes[len(cells)] = "The conflict ends here."
            continue
        cells += left
    where = f"{met:,} place{'' if met == 1 else 's'} of the text" if met else "its metadata alone"
    repairs = [f"the file holds an unfinished merge of {names[0]} and {names[1]}, in {where}"]
    if ours.mended.breaks_off:
        repairs.append(_CUT)
        notes[len(cells)] = f"{notes.get(len(cells), '')} The file breaks off here.".strip()
    return Reading(value=_whole(ours.mended, cells), repairs=tuple(repairs), notes=notes)


def _marked(name: str, cells: list[Any]) -> str:
    return f"A merge conflict: here is {name}{', which has nothing here.' if not cells else '.'}"


def _cells(mended: Mended) -> list[Any]:
    """The cells of a mended notebook, in the order of its text."""
    value = mended.value
    if not isinstance(value, dict):
        return []
    lists = [value.get("cells")]
    if isinstance(value.get("worksheets"), list):
        lists += [sheet.get("cells") for sheet in value["worksheets"] if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _whole(mended: Mended, cells: list[Any]) -> Any:
    """The notebook with other cells."""
    value = mended.value if isinstance(mended.value, dict) else {}
    return {**{key: item for key, item in value.items() if key != "worksheets"}, "cells": cells}


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def _encodable(value: Any) -> Any:
    """The same value with each lone surrogate replaced; they cannot be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def _advice(source: bytes) -> str:
    start = source[:2000].lstrip().lower()
    if not start:
        return "The file is empty."
    if start.startswith(b"<"):
        return "It looks like a web page. Give the address of the file itself, not of the page that shows it."
    if b"<<<<<<<" in source:
        return "It holds the markers of an unfinished merge. Resolve the conflict and save it again."
    if start.startswith(b"version https://git-lfs"):
        return "It is a pointer to a file in Git LFS; the notebook itself is stored elsewhere."
    return "Open it in Jupyter and save it again, or ask its author for a complete copy."
