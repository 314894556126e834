r"""Simple chemistry: `\ce{2H2O + SO4^2- -> HSO4-}`, as mhchem writes it, in math.

A word is one of: an arrow, a plus or equals sign, a factor before a formula, or a formula of elements with small
numbers below and charges above. Anything else is left to a complete implementation.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.math import kinds
from amalthea.services.nbviewer.render.math.atoms import Atom, letter
from amalthea.services.nbviewer.render.math.parser import CannotTypeset, Parser, put

_ARROWS = {
    "->": "→",
    "<-": "←",
    "<->": "↔",
    "<=>": "⇌",
    "<=>>": "⇌",
    "<<=>": "⇌",
    "-->": "⟶",
    "=": "=",
    "+": "+",
    "-": "−",
}
_WORD = re.compile(
    r"([A-Z][a-z]?|[()\[\]]|\((?:aq|s|l|g)\)|[a-z]{1,3}|\.|\*|=|#|-(?=[A-Z(]))"
    r"((?:_\{[^{}]*\}|_\w|\d+)?)((?:\^\{[^{}]*\}|\^?\d*[+-](?![A-Z(])|\^\w)?)"
)
_FACTOR = re.compile(r"\d+(?:[./]\d+)?")
_BONDS = {"-": "−", "=": "=", "#": "≡", ".": "⋅", "*": "⋅"}


def reaction(parser: Parser, source: str) -> Atom:
    r"""The whole argument of `\ce`."""
    parts = list[str]()
    for word in source.split():
        sign = _ARROWS.get(word)
        parts.append(f'<mo stretchy="false">{sign}</mo>' if sign else _formula(word))
    return kinds.ORDINARY, f"<mrow>{''.join(parts)}</mrow>"


def _formula(word: str) -> str:
    factor = _FACTOR.match(word)
    position = factor.end() if factor else 0
    parts = [f'<mn>{word[:position]}</mn><mspace width="0.1667em"/>'] if position else []
    while position < len(word):
        found = _WORD.match(word, position)
        if found is None:
            raise CannotTypeset("chemistry that is not known here")
        parts.append(put("sub", "sup", _element(found[1]), _small(found[2]), _small(found[3])))
        position = found.end()
    return "".join(parts)


def _element(sign: str) -> str:
    if sign in _BONDS:
        return f'<mo lspace="0" rspace="0">{_BONDS[sign]}</mo>'
    if sign in "()[]":
        return f'<mo stretchy="false">{sign}</mo>'
    return letter(escape.text(sign), "normal")


def _small(script: str) -> str:
    inside = escape.text(script.lstrip("_^").strip("{}").replace("-", "−"))
    return f"<mtext>{inside}</mtext>" if inside else ""


READERS: dict[str, Callable[[Parser, str], Atom]] = {"\\ce": reaction}
