r"""Brackets that grow: `\left( .. \middle| .. \right)` with what they hold, `\big(` to a size."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.math import kinds, symbols
from amalthea.services.nbviewer.render.math.atoms import Atom
from amalthea.services.nbviewer.render.math.parser import CannotTypeset, Parser

_SIGNS = {
    **{sign: sign for sign in "()[]|/⟨⟩⌊⌋⌈⌉‖{}"},
    ".": "", "<": "⟨", ">": "⟩", "&lt;": "⟨", "&gt;": "⟩", "\\lt": "⟨", "\\gt": "⟩",
    "\\backslash": "\\", "\\vert": "|", "\\|": "‖", "\\Vert": "‖", "\\mid": "|", "\\parallel": "‖",
    **symbols.OPENING, **symbols.CLOSING,
    **{f"\\{name}arrow": symbols.ARROWS[f"\\{name}arrow"]
       for name in ("up", "down", "updown", "Up", "Down", "Updown")},
}  # fmt: skip
_GROWING = frozenset("()[]{}|‖⌊⌋⌈⌉⟨⟩⟦⟧⟮⟯⎰⎱")  # as browsers have it
_TALL = re.compile(r"<m(?:frac|table|under|over>|root|sqrt|padded)|minsize|[∑∏∐∫∬∭∮⋃⋂⋁⋀⨁⨂⨀⨄⨆]")
_STRETCHING = ' stretchy="true" symmetric="true"'
_STILL = ' stretchy="false" lspace="0" rspace="0"'
_SIZES = {"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}
_KINDS = {"l": kinds.OPENING, "r": kinds.CLOSING, "m": kinds.RELATION, "": kinds.ORDINARY}
_FORMS = {kinds.OPENING: "prefix", kinds.CLOSING: "postfix"}
_OPENING = frozenset("([{⟨⌊⌈⟦")
_SQUARE, _BARS = frozenset("[]⌊⌋⌈⌉⟦⟧"), frozenset("|‖")
_CLOSING = frozenset(")]}⟩⌋⌉⟧")


def _sign(parser: Parser) -> str:
    lexeme = parser.step()
    if lexeme == "{" and parser.tokens[parser.at + 1] == "}":  # \left{(}
        lexeme = parser.step()
        parser.at += 1
    sign = _SIGNS.get(lexeme)
    if sign is None:
        raise CannotTypeset(f"{lexeme} is no bracket")
    return sign


def fenced(parser: Parser) -> Atom:
    r"""`\left( .. \right)`: as tall as what stands between."""
    saved = parser.display, parser.variant
    left, parts = _sign(parser), list[str]()
    while True:
        parts += parser.row()
        if parser.tokens[parser.at] != "\\middle":
            break
        parser.at += 1
        parts.append(f'<mo{_STRETCHING} lspace=".05em" rspace=".05em">{escape.text(_sign(parser))}</mo>')
    parser.expect("\\right")
    right, inside = _sign(parser), "".join(parts)
    parser.display = saved[0]
    if parser.variant != saved[1]:
        parser.use(saved[1])
    return kinds.CLOSING, around(left, inside, right)


def around(left: str, inside: str, right: str) -> str:
    """Something between two signs that are as tall as it is."""
    tall = _TALL.search(inside) is not None
    return f"<mrow>{_grown(left, 'prefix', tall)}{inside}{_grown(right, 'postfix', tall)}</mrow>"


def _grown(sign: str, form: str, tall: bool) -> str:
    """A bracket around something; browsers keep more room for one that may stretch, so that it says if it need not."""
    if not sign:
        return ""
    stretching = "" if sign in _GROWING else f'{_STRETCHING} lspace="0" rspace="0"'
    return f'<mo form="{form}"{stretching if tall else _STILL}>{escape.text(sign)}</mo>'


def big(parser: Parser, *, size: str, kind: int) -> Atom:
    r"""`\bigl(` and others: one bracket of a size."""
    sign = _sign(parser)
    if kind == kinds.ORDINARY:
        kind = kinds.OPENING if sign in _OPENING else kinds.CLOSING if sign in _CLOSING else kind
    form = _FORMS.get(kind)
    place = f' form="{form}"' if form else ""
    room = ".2778em" if kind == kinds.RELATION else "0"
    around = f' lspace="{room}" rspace="{room}"' if not form or sign not in _GROWING else ""
    attributes = f'class="{_breadth(sign)}"{_STRETCHING}{place}{around} minsize="{size}" maxsize="{size}"'
    return kind, f"<mo {attributes}>{escape.text(sign)}</mo>" if sign else ""


def _breadth(sign: str) -> str:
    """The class that gives a bracket of a size its width: else browsers keep the room of the widest of its shapes."""
    return "square" if sign in _SQUARE else "bar" if sign in _BARS else "round" if sign in _GROWING else "other"


COMMANDS: dict[str, Callable[[Parser], Atom]] = {
    "\\left": fenced,
    **{
        f"\\{name}{side}": partial(big, size=size, kind=kind)
        for name, size in _SIZES.items()
        for side, kind in _KINDS.items()
    },
}
