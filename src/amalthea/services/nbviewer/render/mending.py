"""Broken JSON into a value: everything that can be understood, in one pass, without ever giving up.

Commas mean nothing here; a text followed by a colon is a key; a bracket that closes closes everything inside it that
was left open. So a file that breaks off, a comma too many, a bracket that a merge lost, single quotes and comments
written by hand all leave the rest of the file as it was. A text whose quote is missing ends with its line.

The places of the cells are noted, so that whoever knows what is wrong with the file can say at which cell.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

DEEPEST = 200
_TOKEN = re.compile(
    r"""
    [\s,]++\Z
    | [\s,]*+(?:
      (?P<text>"(?:[^"\\\n]++|\\[^\n])*+" | '(?:[^'\\\n]++|\\[^\n])*+')(?P<key>\s*+:)?+
    | (?P<open>[{\[])
    | (?P<close>[}\]])
    | (?P<cut>["'][^\n]*+)
    | (?P<comment>//[^\n]*+|\#[^\n]*+)
    | (?P<word>[^\s,:{}\[\]"']++)(?P<named>\s*+:)?+
    | .
    )""",
    re.VERBOSE | re.DOTALL,
)
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_NUMBER = re.compile(r"-?\d{1,300}(?P<real>(?:\.\d{1,300})?(?:[eE][+-]?\d{1,4})?)|-?Infinity|NaN")
_BAD_ESCAPE = re.compile(r"\\(?:([\"\\/bfnrt]|u[0-9a-fA-F]{4})|(.?))", re.DOTALL)
_OTHER_QUOTE = re.compile(r"(?<!^)\"|\\.", re.DOTALL)
_REQUOTED = {'"': '\\"', "\\'": "'"}
_DATA = re.compile(r"\S{200}\Z")  # the end of something encoded, not of a text


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """A value and how it ended.

    cells:       where each cell of the notebook begins and ends, as indexes into the text
    end:         where the value ends
    breaks_off:  whether the text ended first
    too_deep:    whether something was left out for its depth
    """

    value: Any
    cells: tuple[tuple[int, int], ...]
    end: int
    breaks_off: bool
    too_deep: bool


def mend(text: str, start: int = 0) -> Mended:
    """The value that begins at `start`, or at the first bracket behind it."""
    return _Mender().run(text, start)


class _Open:
    """A list or an object that is not closed yet."""

    def __init__(self, made: list[Any] | dict[str, Any], *, cells: bool, number: int) -> None:
        self.made = made
        self.key: str | None = None
        self.cells = cells  # whether it is a list of cells
        self.number = number  # which cell it is, or -1


class _Mender:
    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.root: Any = None
        self.spans: list[tuple[int, int]] = []
        self.skipped = 0  # brackets open inside something that is too deep
        self.too_deep = False

    def run(self, text: str, start: int) -> Mended:
        end, unfinished = len(text), False
        for found in _TOKEN.finditer(text, start):
            self._take(found)
            if self.root is not None and not self.stack and not self.skipped:
                end = found.end()
                break
            unfinished = found.lastgroup == "cut" and found.end() == len(text)
        for one in self.stack:
            self._ends(one, len(text))
        return Mended(
            value=self.root,
            cells=tuple(self.spans),
            end=end,
            breaks_off=bool(self.stack) or unfinished,
            too_deep=self.too_deep,
        )

    def _take(self, found: re.Match[str]) -> None:
        if found["open"]:
            self._open(found["open"], found.start("open"))
        elif found["close"]:
            self._close(found["close"], found.end())
        elif self.skipped or not self.stack:
            return
        elif found["text"] or found["cut"]:
            self._text(found)
        elif found["named"]:
            self._key(found["word"], found.start())
        elif found["word"] in _CONSTANTS:
            self._put(_CONSTANTS[found["word"]], found.start("word"))
        elif found["word"] and (number := _NUMBER.fullmatch(found["word"])):
            self._put(int(number[0]) if number["real"] == "" else float(number[0]), found.start("word"))

    def _text(self, found: re.Match[str]) -> None:
        if found["key"]:
            self._key(_decoded(found["text"]), found.start())
        elif found["text"]:
            self._put(_decoded(found["text"]), found.start("text"))
        elif not _DATA.search(found["cut"]):
            self._put(_decoded(found["cut"].rstrip(" \t\r,") + found["cut"][0]), found.start("cut"))

    def _open(self, bracket: str, place: int) -> None:
        if self.skipped or len(self.stack) >= DEEPEST:
            self.skipped += 1
            self.too_deep = True
            return
        above = self.stack[-1] if self.stack else None
        made: list[Any] | dict[str, Any] = [] if bracket == "[" else {}
        cells = bracket == "[" and above is not None and above.key == "cells" and len(self.stack) in (1, 3)
        number = len(self.spans) if above is not None and above.cells else -1
        if above is None:
            self.root = made
        else:
            self._put(made, place)
        self.stack.append(_Open(made, cells=cells, number=number))

    def _close(self, bracket: str, place: int) -> None:
        if self.skipped:
            self.skipped -= 1
            return
        kind = list if bracket == "]" else dict
        if not any(isinstance(one.made, kind) for one in self.stack):
            return
        while True:
            closed = self.stack.pop()
            self._ends(closed, place)
            if isinstance(closed.made, kind):
                return

    def _key(self, name: str, place: int) -> None:
        while len(self.stack) > 1 and isinstance(self.stack[-1].made, list):
            self._ends(self.stack.pop(), place)  # its bracket is missing
        self.stack[-1].key = name

    def _ends(self, one: _Open, place: int) -> None:
        if one.number >= 0:
            self.spans[one.number] = self.spans[one.number][0], place

    def _put(self, value: Any, place: int) -> None:
        top = self.stack[-1]
        if isinstance(top.made, list):
            top.made.append(value)
            if top.cells:
                self.spans.append((place, place + 1))
        elif top.key is not None:
            top.made[top.key] = value
            top.key = None


def _decoded(quoted: str) -> str:
    """The text between two quotes."""
    if quoted[0] == "'":
        quoted = _OTHER_QUOTE.sub(lambda found: _REQUOTED.get(found[0], found[0]), f'"{quoted[1:-1]}') + '"'
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:  # an escape that JSON does not have: take its backslash as one
        mended = _BAD_ESCAPE.sub(lambda found: found[0] if found[1] else "\\\\" + (found[2] or ""), quoted[1:-1])
        return str(json.loads(f'"{mended}"', strict=False))
