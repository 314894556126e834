"""The line of a key in a TOML text.

`tomllib` forgets where a value stood, so this reads the keys once more. It is only given text that `tomllib`
has already read, and so needs no errors of its own: what it does not understand has the line of the table
around it.
"""

from __future__ import annotations

import re

from amalthea.fleet.problem import KeyPath

_TOKEN = re.compile(
    r'''
      (?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    | (?P<space>[ \t\r]+|\#[^\n]*)
    | (?P<end>\n)
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s\[\]{}=,.\#"']+)
    ''',
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


class Lines:
    """Where each key of a text stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._found: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}
        self._read()

    def find(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest table around it; 0 if there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._found:
                return self._found[path[:length]]
        return 0

    def _read(self) -> None:
        table: KeyPath = ()
        while self._at < len(self._text):
            if self._peek() == "[":
                table = self._header()
            elif self._peek() in ("", "\n"):
                self._take()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line = self._line
        self._take()
        several = self._peek() == "["
        if several:
            self._take()
        path = self._name(until="]")
        if several:
            self._take()
            index = self._counts[path] = self._counts.get(path, -1) + 1
            path = (*path, index)
        self._mark(path, line)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        path = table + self._name(until="=")
        self._mark(path, line)
        self._value(path)

    def _name(self, *, until: str) -> KeyPath:
        """The parts of a key, and the mark behind it."""
        parts: list[str] = []
        while (part := self._take()) not in (until, ""):
            if part != ".":
                parts.append(_unquoted(part))
        return tuple(parts)

    def _value(self, path: KeyPath) -> None:
        if self._peek() == "[":
            self._array(path)
        elif self._peek() == "{":
            self._inline_table(path)
        else:
            while self._peek() not in ("\n", ",", "]", "}", ""):
                self._take()

    def _array(self, path: KeyPath) -> None:
        self._take()
        index = 0
        while (found := self._peek()) not in ("]", ""):
            if found in (",", "\n"):
                self._take()
                index += found == ","
            else:
                self._mark((*path, index), self._line)
                self._value((*path, index))
        self._take()

    def _inline_table(self, path: KeyPath) -> None:
        self._take()
        while (found := self._peek()) not in ("}", ""):
            if found in (",", "\n"):
                self._take()
            else:
                self._pair(path)
        self._take()

    def _mark(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._found.setdefault(path[:length], line)
        self._found[path] = line

    def _peek(self) -> str:
        """The next token that is no space, without passing it; "" at the end."""
        while (found := _TOKEN.match(self._text, self._at)) and found.lastgroup == "space":
            self._at = found.end()
        return found[0] if found else self._text[self._at : self._at + 1]

    def _take(self) -> str:
        token = self._peek()
        self._at += max(len(token), 1)
        self._line += token.count("\n")
        return token


def _unquoted(token: str) -> str:
    if token.startswith("'"):
        return token[1:-1]
    if not token.startswith('"'):
        return token
    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", _unescaped, token[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if code[0] in "uU" else _ESCAPES.get(code, code)
