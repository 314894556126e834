r"""What a program printed, as a terminal would have left it: colours, overwritten lines, moved cursors.

Plain text goes straight out. Text with colours alone is cut at its escape sequences. Only text that moves the cursor
(progress bars: `\r`, `\b`, cursor up, erase) is drawn on a grid of characters.

Colours 0 to 15 become classes, which the style sheet fits to light and dark; the other 240 and true colour become
inline styles made of numbers checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

import msgspec

from amalthea.services.nbviewer.render import escape

_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:?<=>!]{0,100})[ -/]?([@-~])"  # CSI: parameters, final letter
    r"|\x1b\][^\x07\x1b]*+(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|\x1b[ -/]?[0-~]?"
    r"|([\r\n\b])"
    r"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]"
)
_COLOURED = re.compile(
    r"\x1b(?:\[([0-9;:]{0,100})m|\[[0-9;:?<=>!]{0,100}[ -/]?[@-~]|\][^\x07\x1b]*+(?:\x07|\x1b\\)?|.?)"
)
_MOVES = re.compile(r"\r(?!\n)|\x08|\x1b\[[0-9;?]{0,20}[A-HJKSTf]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")
_WIDEST, _TALLEST, _SPACES = 1_000, 50_000, 500_000  # of the grid; and how many blanks moves may put on it
_LEVELS = (0, 95, 135, 175, 215, 255)
_FLAGS = {1: "bold", 2: "faint", 3: "italic", 4: "underline", 7: "inverse", 9: "struck"}
_UNSET = {22: ("bold", "faint"), 23: ("italic",), 24: ("underline",), 27: ("inverse",), 29: ("struck",)}


class Style(msgspec.Struct, frozen=True):
    """How characters look. A colour is a number below 16, or `#rrggbb`, or None for the usual one."""

    fore: int | str | None = None
    back: int | str | None = None
    flags: frozenset[str] = frozenset()

    def attributes(self) -> str:
        """The attributes of a span that looks so; empty for the usual look."""
        classes = sorted(f"a-{flag}" for flag in self.flags - {"inverse"})
        fore, back = (self.back, self.fore) if "inverse" in self.flags else (self.fore, self.back)
        if "inverse" in self.flags and fore is None and back is None:
            classes.append("a-inverse")
        styles = []
        for colour, prefix, rule in ((fore, "f", "color"), (back, "b", "background-color")):
            if isinstance(colour, int):
                classes.append(f"a-{prefix}{colour}")
            elif colour:
                styles.append(f"{rule}:{colour}")
        parts = (f' class="{" ".join(classes)}"' if classes else "", f' style="{";".join(styles)}"' if styles else "")
        return "".join(parts)


USUAL = Style()


def terminal(text: str) -> str:
    """Printed text as HTML for the inside of a `<pre>`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if _MOVES.search(text):
        return "".join(_drawn(_Screen(text)))
    return "".join(_pieces(text)) if "\x1b" in text else escape.text(_CONTROL.sub("", text))


def plain(text: str) -> str:
    """The text without its escape sequences."""
    return _SEQUENCE.sub(lambda found: found[3] or "", text)


def _pieces(text: str) -> Iterator[str]:
    style, position = USUAL, 0
    for found in _COLOURED.finditer(text):
        yield _span(text[position : found.start()], style)
        position = found.end()
        if found[1] is not None:
            style = _changed(style, found[1])
    yield _span(text[position:], style)


def _span(text: str, style: Style) -> str:
    text = escape.text(_CONTROL.sub("", text))
    attributes = style.attributes() if text and style is not USUAL else ""
    return f"<span{attributes}>{text}</span>" if attributes else text


def _drawn(screen: _Screen) -> Iterator[str]:
    for number, (signs, styles) in enumerate(zip(screen.rows, screen.styles, strict=True)):
        if number:
            yield "\n"
        start = 0
        for style, run in groupby(styles):
            end = start + sum(1 for _ in run)
            yield _span("".join(signs[start:end]), style)
            start = end


class _Screen:
    """A grid of characters with a cursor, as wide and as long as it has to be."""

    def __init__(self, text: str) -> None:
        self.rows: list[list[str]] = [[]]
        self.styles: list[list[Style]] = [[]]
        self.row = self.column = 0
        self.style = USUAL
        self.spaces = _SPACES
        position = 0
        for found in _SEQUENCE.finditer(text):
            self._write(text[position : found.start()])
            position = found.end()
            if found[3]:
                self._control(found[3])
            elif found[2]:
                self._command(found[2], found[1])
        self._write(text[position:])

    def _write(self, text: str) -> None:
        if not text:
            return
        signs, styles = self.rows[self.row], self.styles[self.row]
        missing = min(self.column - len(signs), self.spaces)
        if missing > 0:
            self.spaces -= missing
            signs += " " * missing
            styles += [USUAL] * missing
        self.column = min(self.column, len(signs))
        end = self.column + len(text)
        signs[self.column : end] = text
        styles[self.column : end] = [self.style] * len(text)
        self.column = end

    def _control(self, sign: str) -> None:
        if sign == "\n":
            self._down(1)
            self.column = 0
        elif sign == "\r":
            self.column = 0
        else:
            self.column = max(0, self.column - 1)

    def _command(self, letter: str, parameters: str) -> None:
        if letter == "m":
            self.style = _changed(self.style, parameters)
            return
        digits = parameters.split(";")[0]
        count = min(int(digits), _WIDEST) if digits.isdecimal() and len(digits) < 9 else 0
        if letter in "JK":
            self._erase(letter, count)
        elif letter in "AF":
            self.row = max(0, self.row - max(1, count))
        elif letter in "BE":
            self._down(max(1, count))
        elif letter in "CD":
            step = max(1, count) if letter == "C" else -max(1, count)
            self.column = min(_WIDEST, max(0, self.column + step))
        if letter in "EFG":
            self.column = max(0, count - 1) if letter == "G" else 0

    def _down(self, count: int) -> None:
        for _ in range(count):
            if self.row + 1 == len(self.rows):
                if len(self.rows) >= _TALLEST:
                    return
                self.rows.append([])
                self.styles.append([])
            self.row += 1

    def _erase(self, letter: str, how: int) -> None:
        start = 0 if how == 2 else self.column
        if how == 1:
            self.rows[self.row][: self.column] = " " * min(self.column, len(self.rows[self.row]))
            return
        del self.rows[self.row][start:], self.styles[self.row][start:]
        if letter == "J":
            del self.rows[self.row + 1 :], self.styles[self.row + 1 :]


def _changed(style: Style, parameters: str) -> Style:
    """The style after an SGR sequence with these parameters."""
    if parameters in ("", "0", "00"):
        return USUAL
    codes = [int(code) if code.isdecimal() and len(code) < 5 else 0 for code in re.split("[;:]", parameters)[:40]]
    fore, back, flags, at = style.fore, style.back, set(style.flags), 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code in (38, 48):
            colour, at = _extended(codes, at)
            fore, back = (colour, back) if code == 38 else (fore, colour)
        elif code == 0:
            fore = back = None
            flags.clear()
        elif code in _FLAGS:
            flags.add(_FLAGS[code])
        elif code in _UNSET:
            flags.difference_update(_UNSET[code])
        elif code in (39, 49):
            fore, back = (None, back) if code == 39 else (fore, None)
        else:
            fore, back = _basic(code, fore, back)
    return Style(fore, back, frozenset(flags))


def _basic(code: int, fore: int | str | None, back: int | str | None) -> tuple[int | str | None, int | str | None]:
    for first, number in ((30, 0), (90, 8)):
        if first <= code <= first + 7:
            return number + code - first, back
        if first + 10 <= code <= first + 17:
            return fore, number + code - first - 10
    return fore, back


def _extended(codes: list[int], at: int) -> tuple[int | str | None, int]:
    """The colour of `38;5;n` or `38;2;r;g;b`, and where the next code is."""
    kind = codes[at] if at < len(codes) else 0
    if kind == 5 and at + 1 < len(codes):
        return _from_palette(min(255, codes[at + 1])), at + 2
    if kind == 2 and at + 3 < len(codes):
        red, green, blue = (min(255, value) for value in codes[at + 1 : at + 4])
        return f"#{red:02x}{green:02x}{blue:02x}", at + 4
    return None, len(codes)


def _from_palette(number: int) -> int | str:
    if number < 16:
        return number
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    red, rest = divmod(number - 16, 36)
    green, blue = divmod(rest, 6)
    return "#" + "".join(f"{_LEVELS[level]:02x}" for level in (red, green, blue))
