"""Tokens that mean the same wherever they stand, as atoms: a kind and its MathML, made once.

There is a table for each alphabet, loose for the line and tight for scripts, where TeX leaves operators no space.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.math import alphabets, kinds, symbols

Atom = tuple[int, str]

TIGHT = '<mo lspace="0" rspace="0">'
_KEYS = {  # characters that can be typed, and what they stand for
    "ordinary": {sign: sign for sign in '/|@"`.°∞∅∀∃¬⊤⊥∠†‡§…′″℃%$#_?'},
    "binary": {"*": "∗", **{sign: sign for sign in "×·⋅∘∩∪∨∧⊕⊗⊙÷∗∖⊖"}},
    "sign": {"+": "+", "-": "−", "−": "−", "–": "−", "±": "±", "∓": "∓"},
    "relation": {**{sign: sign for sign in "=<>≤≥≠≈≡∼≃≅∝∈∉∋⊂⊃⊆⊇≪≫∣∥⊢⊨≺≻≔"}, ":": ":", "&lt;": "<", "&gt;": ">"},
    "arrow": {sign: sign for sign in "→←↔⇒⇐⇔↦↑↓⟶⟵⟹⟸⟺"},
    "large": {sign: sign for sign in "∑∏∐⋃⋂"},
    "integral": {sign: sign for sign in "∫∬∭∮"},
    "opening": {sign: sign for sign in "([⟨⌊⌈"},
    "closing": {sign: sign for sign in ")]⟩⌋⌉"},
    "punctuation": {",": ",", ";": ";", "\\colon": ":"},
}


def _marked(tag: str, tokens: Mapping[str, str], kind: int) -> Iterable[tuple[str, Atom]]:
    end = tag[: tag.find(" ")] if " " in tag else tag
    return ((token, (kind, f"<{tag}>{escape.text(sign)}</{end}>")) for token, sign in tokens.items())


def _operators(*, tight: bool) -> dict[str, Atom]:
    """Everything that is written as an operator, and what has no spacing of its own."""
    room = ' lspace="0" rspace="0"' if tight else ""
    colon = room or ' lspace=".2778em" rspace=".2778em"'
    made = dict[str, Atom]()
    made.update(_marked("mi", symbols.ORDINARY | _KEYS["ordinary"], kinds.ORDINARY))
    made.update(_marked(f"mo{room}", symbols.BINARY | _KEYS["binary"], kinds.BINARY))
    made.update(_marked(f"mo{room}", symbols.SIGNS | _KEYS["sign"], kinds.SIGN))
    made.update(_marked(f"mo{room}", symbols.RELATIONS | _KEYS["relation"], kinds.RELATION))
    made.update(_marked(f'mo stretchy="false"{room}', symbols.ARROWS | _KEYS["arrow"], kinds.RELATION))
    made.update(_marked("mo", symbols.SUMS | _KEYS["large"], kinds.LARGE))
    made.update(_marked("mo", symbols.INTEGRALS | _KEYS["integral"], kinds.INTEGRAL))
    made.update(_marked('mo stretchy="false" form="prefix"', symbols.OPENING, kinds.OPENING))
    made.update(_marked('mo stretchy="false" form="postfix"', symbols.CLOSING, kinds.CLOSING))
    made.update(_marked('mo stretchy="false"', _KEYS["opening"], kinds.OPENING))
    made.update(_marked('mo stretchy="false"', _KEYS["closing"], kinds.CLOSING))
    made.update(_marked(f"mo{room}", _KEYS["punctuation"], kinds.PUNCTUATION))
    made.update(_marked('mo lspace="0" rspace="0"', symbols.DOTS, kinds.DOTS))
    made |= {"!": (kinds.CLOSING, '<mo form="postfix">!</mo>'), ":": (kinds.RELATION, f"<mo{colon}>:</mo>")}
    made["\\colon"] = (kinds.PUNCTUATION, f'<mo lspace="0" rspace="{0 if tight else ".1667em"}">:</mo>')
    made["\\&"] = made["&amp;"] = (kinds.ORDINARY, "<mi>&amp;</mi>")
    return made


def _names() -> dict[str, Atom]:
    made = dict[str, Atom]()
    made.update(_marked("mi", {f"\\{name}": name for name in symbols.FUNCTIONS}, kinds.FUNCTION))
    made.update(_marked("mi", {f"\\{name}": name for name in symbols.LIMITS}, kinds.LIMITED))
    made.update(_marked("mi", symbols.SPACED_LIMITS, kinds.LIMITED))
    return made


def _spaces() -> dict[str, Atom]:
    made = {token: (kinds.SPACE, space(width)) for token, width in symbols.SPACES.items()}
    return made | dict.fromkeys(symbols.NOTHING, (kinds.SPACE, ""))


def space(width: float) -> str:
    """A gap of `width` em; less than nothing moves what follows back."""
    if width < 0:
        return f'<mspace class="back-{min(round(-width * 18), 9)}"/>'
    return f'<mspace width="{width:.4g}em"/>'


def letter(sign: str, variant: str, *, upright: bool = False) -> str:
    """A letter, or a run of them, in an alphabet."""
    if variant == "normal" or (upright and not variant):
        return f"<mi>{sign}</mi>" if len(sign) > 1 else f'<mi mathvariant="normal">{sign}</mi>'
    shown = alphabets.translate(sign, variant)
    if shown == sign and variant and len(sign) == 1:
        return f'<mi mathvariant="normal">{sign}</mi>'
    return f"<mi>{shown}</mi>"


@cache
def table(variant: str, *, tight: bool) -> Mapping[str, Atom]:
    """The atoms of one alphabet; empty for italic letters and upright digits, as TeX has them by default."""
    made = _operators(tight=tight) | _names() | _spaces()
    for sign in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":
        made[sign] = kinds.ORDINARY, letter(sign, variant)
    for sign in "0123456789":
        made[sign] = kinds.ORDINARY, f"<mn>{alphabets.translate(sign, variant)}</mn>"
    slanting = variant if variant == "bold-italic" else ""
    for token, sign in (symbols.LETTERS | symbols.SLANTED_CAPITALS).items():
        made[token] = made[sign] = kinds.ORDINARY, letter(sign, slanting)
    for token, sign in symbols.CAPITALS.items():
        made[token] = made[sign] = kinds.ORDINARY, letter(sign, variant, upright=True)
    return made
