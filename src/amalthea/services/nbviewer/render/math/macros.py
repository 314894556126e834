r"""A notebook's own TeX commands: `\newcommand{\R}{\mathbb{R}}` in one cell, `$\R$` in the next.

MathJax keeps definitions for the whole page, and people rely on it. Expansion here is plain substitution of text with
a bound on the length, so a few definitions that double each other cannot fill the memory.
"""

from __future__ import annotations

import re

import msgspec

_LONGEST = 8_000  # characters that one formula may grow by in one pass
_ALTOGETHER = 1_000_000
_PASSES = 12
_NAME = r"\\[a-zA-Z]{1,40}"
_DEFINITION = re.compile(
    rf"\\(?:(?:re|provide)?newcommand|DeclareMathOperator)\*?\s*(?:\{{\s*(?P<braced>{_NAME})\s*\}}|(?P<bare>{_NAME}))"
    r"\s*(?:\[(?P<count>\d)\])?\s*(?:\[(?P<default>[^\[\]]{0,200})\])?\s*(?=\{)"
    rf"|\\def\s*(?P<plain>{_NAME})(?P<parameters>(?:#\d)*)\s*(?=\{{)"
    rf"|\\let\s*(?P<alias>{_NAME})\s*=?\s*(?P<meaning>{_NAME}|[^\s\\])"
)
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_PARAMETER = re.compile(r"#(\d)")


class Macro(msgspec.Struct, frozen=True):
    """What a command stands for, how many arguments it takes, and what the first is where it is left out."""

    body: str
    arguments: int = 0
    default: str | None = None


class Macros:
    """The commands that one notebook has defined so far."""

    def __init__(self) -> None:
        self._known: dict[str, Macro] = {}
        self._left = _ALTOGETHER

    def apply(self, tex: str) -> str | None:
        """`tex` without its definitions and with its commands expanded; None where that grows too long."""
        if "\\def" in tex or "\\let" in tex or "newcommand" in tex or "DeclareMath" in tex:
            tex = self._learn(tex)
        for _ in range(_PASSES if self._known else 0):
            expanded = self._expand(tex)
            if expanded is None or expanded == tex:
                return expanded
            tex = expanded
        return tex

    def _learn(self, tex: str) -> str:
        rest, position = [], 0
        while len(self._known) < 500 and (found := _DEFINITION.search(tex, position)) is not None:
            end = self._define(tex, found)
            rest.append(tex[position : found.start()])
            position = end
        return "".join(rest) + tex[position:]

    def _define(self, tex: str, found: re.Match[str]) -> int:
        """Keep one definition; where it ends."""
        if found["alias"]:
            self._known[found["alias"]] = self._known.get(found["meaning"]) or Macro(found["meaning"])
            return found.end()
        body, end = _group(tex, found.end())
        if found[0].startswith("\\Declare"):
            star = "*" if "*" in found[0] else ""
            body = f"\\operatorname{star}{{{body}}}"
        count = int(found["count"]) if found["count"] else len(found["parameters"] or "") // 2
        self._known[found["braced"] or found["bare"] or found["plain"]] = Macro(body, count, found["default"])
        return end

    def _expand(self, tex: str) -> str | None:
        parts, position, length = list[str](), 0, 0
        for found in _COMMAND.finditer(tex):
            macro = self._known.get(found[0])
            if macro is None or found.start() < position:
                continue
            given, end = _arguments(tex, found.end(), macro)
            meaning = _filled(macro.body, given)
            parts += (tex[position : found.start()], meaning, " " if meaning[-1:].isalpha() else "")
            length += len(meaning)
            position = end
            if length > min(_LONGEST, self._left):
                return None
        self._left -= length
        return "".join(parts) + tex[position:]


def _filled(body: str, given: dict[str, str]) -> str:
    return _PARAMETER.sub(lambda number: given.get(number[1], ""), body) if "#" in body else body


def _arguments(tex: str, position: int, macro: Macro) -> tuple[dict[str, str], int]:
    given = {}
    for number in range(1, macro.arguments + 1):
        while tex[position : position + 1].isspace():
            position += 1
        if number == 1 and macro.default is not None:
            end = tex.find("]", position) if tex[position : position + 1] == "[" else -1
            given["1"], position = (macro.default, position) if end < 0 else (tex[position + 1 : end], end + 1)
        else:
            given[str(number)], position = _group(tex, position)
    return given, position


def _group(tex: str, position: int) -> tuple[str, int]:
    """The argument that starts here, without its braces, and where it ends."""
    if tex[position : position + 1] != "{":
        command = _COMMAND.match(tex, position)
        end = command.end() if command else position + 1
        return tex[position:end], end
    depth = 0
    for end in range(position, len(tex)):
        depth += {"{": 1, "}": -1}.get(tex[end], 0)
        if depth == 0:
            return tex[position + 1 : end], end + 1
    return tex[position + 1 :], len(tex)
