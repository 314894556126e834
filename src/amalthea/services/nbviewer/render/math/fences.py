r"""Brackets that grow: `\left( .. \middle| .. \right)` with what they hold, `\big(` to a size."""

from __future__ import annotations

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
_SIZES = {"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}
_KINDS = {"l": kinds.OPENING, "r": kinds.CLOSING, "m": kinds.RELATION, "": kinds.ORDINARY}
_FORMS = {kinds.OPENING: "prefix", kinds.CLOSING: "postfix"}
_OPENING = frozenset("([{⟨⌊⌈⟦")
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
    parts = ["<mrow>", _grown(_sign(parser), "prefix")]
    while True:
        parts += parser.row()
        if parser.tokens[parser.at] != "\\middle":
            break
        parser.at += 1
        sign = _sign(parser)
        parts.append(f'<mo stretchy="true" symmetric="true" lspace=".05em" rspace=".05em">{escape.text(sign)}</mo>')
    parser.expect("\\right")
    parts += (_grown(_sign(parser), "postfix"), "</mrow>")
    parser.display = saved[0]
    if parser.variant != saved[1]:
        parser.use(saved[1])
    return kinds.CLOSING, "".join(parts)


def _grown(sign: str, form: str) -> str:
    if not sign:
        return ""
    growth = "" if sign in _GROWING else ' stretchy="true" symmetric="true"'
    return (
        f'<mo form="{form}"{growth} lspace="0" rspace="0">{escape.text(sign)}</mo>'
        if growth
        else (f'<mo form="{form}">{sign}</mo>')
    )


def big(parser: Parser, *, size: str, kind: int) -> Atom:
    r"""`\bigl(` and others: one bracket of a size."""
    sign = _sign(parser)
    if kind == kinds.ORDINARY:
        kind = kinds.OPENING if sign in _OPENING else kinds.CLOSING if sign in _CLOSING else kind
    form = _FORMS.get(kind)
    place = f' form="{form}"' if form else ""
    room = ".2778em" if kind == kinds.RELATION else "0"
    around = f' lspace="{room}" rspace="{room}"' if not form or sign not in _GROWING else ""
    attributes = f'stretchy="true" symmetric="true"{place}{around} minsize="{size}" maxsize="{size}"'
    return kind, f"<mo {attributes}>{escape.text(sign)}</mo>" if sign else ""


COMMANDS: dict[str, Callable[[Parser], Atom]] = {
    "\\left": fenced,
    **{
        f"\\{name}{side}": partial(big, size=size, kind=kind)
        for name, size in _SIZES.items()
        for side, kind in _KINDS.items()
    },
}
