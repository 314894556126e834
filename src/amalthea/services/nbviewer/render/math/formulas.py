r"""Finding the math in a text, so that Markdown leaves it alone.

Markdown would take `_` and `\\` in TeX for its own, so each formula is replaced by a word that occurs nowhere in
the text and means nothing in Markdown or HTML, and put back (typeset) after the HTML has been cleaned. Delimiters are
those of Jupyter: `$..$`, `$$..$$`, `\(..\)`, `\[..\]` (also with doubled backslashes) and `\begin{x}..\end{x}`.
A formula ends within its paragraph. Code spans and fences hold no math.

The scan is linear: a delimiter that has no partner in a paragraph is remembered, so nothing is searched twice.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

_TOKEN = re.compile(
    r"^(?P<fence>[ \t>]*(?P<bar>`{3,}|~{3,}))(?P<info>[^\n]*)$"
    r"|(?P<ticks>`+)"
    r"|(?P<open>\\\\?[(\[])"
    r"|\\begin\{(?P<name>[a-zA-Z]{1,30}\*?)\}"
    r"|\\(?s:.)"
    r"|(?P<dollars>\$\$?)",
    re.MULTILINE,
)
_BLANK = re.compile(r"\n[ \t>]*\n")
_INLINE = re.compile(r"(?:[^$\\]|\\.)++", re.DOTALL)
_QUOTED_LINE = re.compile(r"\n[ \t]*>[ \t]?")
_ANYTHING = ("$", "\\(", "\\[", "\\begin{")


class Formula(msgspec.Struct, frozen=True):
    """TeX without its delimiters, the text as it was written, and whether it stands on a line of its own."""

    tex: str
    source: str
    display: bool


class Protected(msgspec.Struct, frozen=True):
    """A text with the word `{mark}{n}x` in the place of formula number n."""

    text: str
    mark: str
    formulas: tuple[Formula, ...]


def protect(text: str) -> Protected:
    """Take the formulas out of `text`."""
    if not any(sign in text for sign in _ANYTHING):
        return Protected(text, "", ())
    return _Scan(text).run()


def _absent_word(text: str) -> str:
    """A word of ASCII letters and digits that `text` does not hold; the same for the same text."""
    word = "mth0"
    while word in text:
        word = f"mth{hashlib.sha256((word + text).encode()).hexdigest()[:16]}q"
    return word


class _Scan:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.mark = _absent_word(text)
        self.formulas: list[Formula] = []
        self.parts: list[str] = []
        self.done = 0  # up to here the text is in `parts`
        self.paragraph = -1  # where the present paragraph ends
        self.dead: dict[str, int] = {}  # delimiters without a partner before this place

    def run(self) -> Protected:
        """Find all formulas."""
        position = 0
        while (found := _TOKEN.search(self.text, position)) is not None:
            position = self._after(found)
        self.parts.append(self.text[self.done :])
        return Protected("".join(self.parts), self.mark, tuple(self.formulas))

    def _after(self, found: re.Match[str]) -> int:
        """Deal with one token; where to go on."""
        if found["fence"]:
            return self._after_fence(found)
        if found["ticks"]:
            return self._after_code_span(found)
        if found["open"]:
            closer = found["open"].replace("(", ")").replace("[", "]")
            return self._formula(found, closer, display=closer.endswith("]"))
        if found["name"]:
            return self._formula(found, f"\\end{{{found['name']}}}", display=True, whole=True)
        if found["dollars"] == "$$":
            return self._formula(found, "$$", display=True)
        return self._inline(found) if found["dollars"] else found.end()

    def _after_fence(self, found: re.Match[str]) -> int:
        bar = found["bar"]
        if bar[0] == "`" and "`" in found["info"]:
            return found.end("bar")  # a code span of three backticks that starts a line
        closing = re.compile(rf"^[ \t>]*{bar[0]}{{{min(len(bar), 1000)},}}[ \t]*$", re.MULTILINE)
        end = closing.search(self.text, found.end())
        return end.end() if end else len(self.text)

    def _after_code_span(self, found: re.Match[str]) -> int:
        ticks = found["ticks"]
        stop = self._paragraph_end(found.end())
        if self.dead.get(ticks, -1) >= stop:
            return found.end()
        start = found.end()
        while (start := self.text.find(ticks, start, stop)) >= 0:
            end = start
            while end < stop and self.text[end] == "`":
                end += 1
            if end - start == len(ticks):
                return end
            start = end
        self.dead[ticks] = stop
        return found.end()

    def _formula(self, found: re.Match[str], closer: str, *, display: bool, whole: bool = False) -> int:
        start, stop = found.end(), self._paragraph_end(found.end())
        end = -1 if self.dead.get(closer, -1) >= stop else self.text.find(closer, start, stop)
        if end < 0:
            self.dead[closer] = stop
            return start
        if not self.text[start:end].strip():
            return start
        after = end + len(closer)
        self._take(found.start(), after, self.text[found.start() : after] if whole else self.text[start:end], display)
        return after

    def _inline(self, found: re.Match[str]) -> int:
        start, stop = found.end(), self._paragraph_end(found.end())
        if self.dead.get("$", -1) >= stop:
            return start
        inside = _INLINE.match(self.text, start, stop)
        end = inside.end() if inside else start
        if end >= stop:
            self.dead["$"] = stop
        if inside is None or end >= stop or inside[0].isspace() or self.text[end + 1 : end + 2].isdigit():
            return start  # "$5 and $10" is money
        self._take(found.start(), end + 1, inside[0], display=False)
        return end + 1

    def _take(self, start: int, end: int, tex: str, display: bool) -> None:
        if "\n" in tex and len(_QUOTED_LINE.findall(tex)) == tex.count("\n"):
            tex = _QUOTED_LINE.sub("\n", tex)  # the formula stands in a quotation
        self.parts.append(self.text[self.done : start])
        self.parts.append(f"{self.mark}{len(self.formulas)}x")
        self.formulas.append(Formula(tex, self.text[start:end], display))
        self.done = end

    def _paragraph_end(self, position: int) -> int:
        if position > self.paragraph:
            blank = _BLANK.search(self.text, position)
            self.paragraph = blank.start() if blank else len(self.text)
        return self.paragraph
