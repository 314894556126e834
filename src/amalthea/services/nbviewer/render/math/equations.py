r"""Numbers of equations, and what refers to them, over one notebook.

As in Jupyter, environments that LaTeX numbers are numbered through the whole notebook, and `\tag` names any line. A
reference to a label further down cannot be known yet; it is written as a word that `resolved` replaces at the end.
"""

from __future__ import annotations

import re

import msgspec

_MOST = 2_000
_PLACE = re.compile("\ue000([0-9]{1,5})\ue001")


class Line(msgspec.Struct):
    """What the commands in one line of a formula said of its number."""

    tag: str = ""
    label: str = ""
    unnumbered: bool = False


class Equations:
    """The count and the labels of one notebook."""

    def __init__(self) -> None:
        self.used = 0  # numbers, labels and references given so far: a formula that has any is made anew each time
        self.line = Line()
        self.count = 0
        self._labels: dict[str, str] = {}
        self._wanted: list[tuple[str, bool]] = []  # a label, and whether its brackets are

    def give_back(self, count: int) -> None:
        """Go on from an earlier count, after a formula that failed."""
        self.count, self.line = count, Line()

    def number(self, *, automatic: bool) -> str:
        """The number of the line that ends here, with its brackets, as escaped text; empty if it has none."""
        line, self.line = self.line, Line()
        shown = line.tag
        if not shown and automatic and not line.unnumbered:
            self.count += 1
            shown = f"({self.count})"
        if shown or line.label:
            self.used += 1
        if line.label and len(self._labels) < _MOST:
            self._labels.setdefault(line.label, shown)
        return shown

    def reference(self, label: str, *, brackets: bool) -> str:
        """What to write for a reference, as escaped text."""
        self.used += 1
        shown = self._labels.get(label)
        if shown is None and len(self._wanted) < _MOST:
            self._wanted.append((label, brackets))
            return f"\ue000{len(self._wanted) - 1}\ue001"
        return _bare(shown or "(???)", brackets=brackets)

    def resolved(self, body: str) -> str:
        """The page with its references to what came later filled in."""
        if not self._wanted:
            return body
        return _PLACE.sub(self._found, body)

    def _found(self, place: re.Match[str]) -> str:
        if int(place[1]) >= len(self._wanted):
            return ""
        label, brackets = self._wanted[int(place[1])]
        return _bare(self._labels.get(label, "(???)"), brackets=brackets)


def _bare(shown: str, *, brackets: bool) -> str:
    return shown if brackets else shown.removeprefix("(").removesuffix(")")
