"""Fractions, roots, accents, what goes over and under, boxes: commands that take math as their arguments."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial

from amalthea.services.nbviewer.render.math import kinds
from amalthea.services.nbviewer.render.math.atoms import Atom, space
from amalthea.services.nbviewer.render.math.fences import around
from amalthea.services.nbviewer.render.math.parser import CannotTypeset, Parser, put, still

_ACCENTS = {
    "hat": "ˆ", "bar": "‾", "tilde": "˜", "dot": "˙", "ddot": "¨", "dddot": "⃛", "ddddot": "⃜",
    "check": "ˇ", "breve": "˘", "acute": "´", "grave": "`", "mathring": "˚",
}  # fmt: skip
_WIDE = {  # over
    "widehat": "\u0302", "widetilde": "~", "overrightarrow": "→", "overleftarrow": "←", "widecheck": "ˇ",
    "overleftrightarrow": "↔", "overparen": "⏜", "overgroup": "⏠", "Overrightarrow": "⇒",
}  # fmt: skip
_WIDE_UNDER = {
    "underrightarrow": "→", "underleftarrow": "←", "underleftrightarrow": "↔",
    "underparen": "⏝", "undergroup": "⏡", "utilde": "~",
}  # fmt: skip
_BRACES = {"overbrace": "⏞", "underbrace": "⏟", "overbracket": "⎴", "underbracket": "⎵"}
_LONG_ARROWS = {
    "xrightarrow": "→", "xleftarrow": "←", "xleftrightarrow": "↔", "xRightarrow": "⇒", "xLeftarrow": "⇐",
    "xLeftrightarrow": "⇔", "xmapsto": "↦", "xlongequal": "=", "xhookrightarrow": "↪", "xhookleftarrow": "↩",
    "xrightleftharpoons": "⇌", "xleftrightharpoons": "⇋", "xtwoheadrightarrow": "↠", "xrightharpoonup": "⇀",
}  # fmt: skip
_DISPLAY = '<mstyle displaystyle="true" scriptlevel="0">'
_TEXT = '<mstyle displaystyle="false" scriptlevel="0">'
_PADDED = {  # what would reach to the left keeps its room: lengths of its own width are not in MathML Core
    "smash": ' height="0" depth="0"', "rlap": ' width="0"', "mathrlap": ' width="0"', "llap": "", "mathllap": "",
    "clap": "", "mathclap": "",
}  # fmt: skip
_MARKED = {
    **{name: name for name in ("boxed", "cancel", "bcancel", "xcancel", "sout")},
    "overline": "over", "widebar": "over", "underline": "under", "underbar": "under",
}  # fmt: skip
_CLASSES = {
    "mathord": kinds.ORDINARY, "mathinner": kinds.ORDINARY, "mathopen": kinds.OPENING, "mathclose": kinds.CLOSING,
    "mathpunct": kinds.PUNCTUATION,
}  # fmt: skip


def fraction(parser: Parser, *, style: str = "", line: str = "", fences: str = "") -> Atom:
    r"""`\frac`, and in a style of its own `\dfrac`, `\tfrac`, without a line `\binom`."""
    saved = parser.display
    above, below = parser.inner(), parser.inner()
    parser.display = saved
    made = f"<mfrac{line}>{above}{below}</mfrac>"
    if fences:
        made = f"<mrow><mo>{fences[0]}</mo>{made}<mo>{fences[1]}</mo></mrow>"
    return kinds.ORDINARY, f"{style}{made}</mstyle>" if style else made


def continued(parser: Parser) -> Atom:
    r"""`\cfrac`: all of it as large as a fraction in display."""
    parser.raw_optional()
    above, below = (f"{_DISPLAY}{parser.inner(display=True)}</mstyle>" for _ in range(2))
    return kinds.ORDINARY, f"{_DISPLAY}<mfrac>{above}{below}</mfrac></mstyle>"


def generalised(parser: Parser) -> Atom:
    r"""`\genfrac{(}{)}{0pt}{1}{a}{b}`."""
    left, right, thickness, style = (parser.raw() for _ in range(4))
    line = ' linethickness="0"' if thickness.startswith("0") else ""
    made = fraction(parser, line=line, style={"0": _DISPLAY, "1": _TEXT}.get(style, ""))[1]
    if len(left) > 1 or len(right) > 1 or not left + right:
        return kinds.ORDINARY, made
    return kinds.ORDINARY, f"<mrow>{_fence(left)}{made}{_fence(right)}</mrow>"


def _fence(sign: str) -> str:
    return f"<mo>{sign}</mo>" if sign in tuple("()[]|") else ""


def root(parser: Parser) -> Atom:
    r"""`\sqrt[3]{x}`."""
    saved = parser.display, parser.tight, parser.atoms
    degree = parser.optional()
    parser.display, parser.tight, parser.atoms = saved
    inside = parser.argument()
    return kinds.ORDINARY, f"<mroot>{inside}{degree}</mroot>" if degree else f"<msqrt>{inside}</msqrt>"


def accent(parser: Parser, sign: str) -> Atom:
    """A sign above that keeps its size."""
    return kinds.ORDINARY, f'<mover accent="true">{parser.argument()}<mo stretchy="false">{sign}</mo></mover>'


def vector(parser: Parser) -> Atom:
    r"""`\vec`: a small arrow; fonts place the arrow made for it, a combining one, where it does not belong."""
    sign = '<mo stretchy="false" mathsize=".6em">→</mo>'
    return kinds.ORDINARY, f'<mover accent="true">{parser.argument()}{sign}</mover>'


def wide(parser: Parser, sign: str) -> Atom:
    """A sign above as wide as what it is over."""
    return kinds.ORDINARY, f'<mover accent="true">{parser.argument()}<mo stretchy="true">{sign}</mo></mover>'


def wide_under(parser: Parser, sign: str) -> Atom:
    """A sign below as wide as what it is under."""
    return kinds.ORDINARY, f'<munder accentunder="true">{parser.argument()}<mo stretchy="true">{sign}</mo></munder>'


def brace(parser: Parser, sign: str, *, under: bool) -> Atom:
    """A brace, whose script goes beyond it."""
    tag, inside = "munder" if under else "mover", parser.argument()
    return kinds.BRACED, f'<{tag}>{inside}<mo stretchy="true">{sign}</mo></{tag}>'


def over(parser: Parser) -> Atom:
    r"""`\overset{above}{base}`, which stays the kind of atom that the base is."""
    above = parser.inner(script=True)
    kind, base = parser.atom()
    return _plain(kind), put("under", "over", still(base), "", above)


def under(parser: Parser) -> Atom:
    r"""`\underset{below}{base}`."""
    below = parser.inner(script=True)
    kind, base = parser.atom()
    return _plain(kind), put("under", "over", still(base), below, "")


def stacked(parser: Parser) -> Atom:
    r"""`\stackrel{above}{relation}`."""
    return kinds.RELATION, over(parser)[1]


def _plain(kind: int) -> int:
    return kinds.ORDINARY if kind == kinds.SPACE else kind


def long_arrow(parser: Parser, sign: str) -> Atom:
    r"""`\xrightarrow[below]{above}`."""
    saved = parser.display
    parser.display = False
    below = parser.optional() or ""
    above = parser.inner(script=True)
    parser.display = saved
    room = space(0.4)
    below, above = (text and f"<mrow>{room}{text}{room}</mrow>" for text in (below, above))
    arrow = f'<mo stretchy="true" lspace="0" rspace="0">{sign}</mo>'
    made = put("under", "over", arrow, below, above)
    return kinds.RELATION, f"<mrow>{space(0.2778)}{made}{space(0.2778)}</mrow>"


def phantom(parser: Parser, *, padding: str = "") -> Atom:
    """The room of something that is not shown."""
    made = f"<mphantom>{parser.argument()}</mphantom>"
    return kinds.ORDINARY, f"<mpadded{padding}>{made}</mpadded>" if padding else made


def padded(parser: Parser, attributes: str) -> Atom:
    """Something that takes no room in a direction."""
    parser.raw_optional()
    return kinds.ORDINARY, f"<mpadded{attributes}>{parser.argument()}</mpadded>"


def marked(parser: Parser, name: str) -> Atom:
    """Something with a frame or struck through, which the style sheet draws."""
    return kinds.ORDINARY, f'<mrow class="{name}">{parser.argument()}</mrow>'


def negated(parser: Parser) -> Atom:
    r"""`\not=`: the next sign, struck through."""
    kind, piece = parser.atom()
    end = piece.find("</m")
    if end < 1 or piece.count("<") != 2:
        raise CannotTypeset("only single signs are struck through")
    start = piece.index(">") + 1
    sign = piece[start:end]
    plain = {"&lt;": "≮", "&gt;": "≯"}.get(sign) or unicodedata.normalize("NFC", f"{sign}\u0338")
    return kind, f"{piece[:start]}{plain}{piece[end:]}"


def classed(parser: Parser, kind: int) -> Atom:
    r"""`\mathopen` and others: an argument taken for another kind."""
    return kind, parser.argument()


def spaced(parser: Parser, kind: int, width: float) -> Atom:
    r"""`\mathrel`, `\mathbin`: an argument with the room of an operator."""
    return kind, f"<mrow>{space(width)}{parser.argument()}{space(width)}</mrow>"


def large(parser: Parser) -> Atom:
    r"""`\mathop`: an argument whose scripts are limits."""
    return kinds.LIMITED, parser.argument()


def substack(parser: Parser) -> Atom:
    r"""`\substack{a \\ b}`: lines in a script."""
    parser.expect("{")
    rows = list[str]()
    while True:
        rows.append(f"<mtr><mtd>{''.join(parser.row())}</mtd></mtr>")
        if parser.tokens[parser.at] != "\\\\":
            break
        parser.at += 1
    parser.expect("}")
    return kinds.ORDINARY, f'<mtable class="substack">{"".join(rows)}</mtable>'


def modulo(parser: Parser) -> Atom:
    r"""`a \pmod{n}`."""
    inside = parser.argument()
    return (
        kinds.SPACE,
        f'{space(0.8)}<mo stretchy="false">(</mo><mi>mod</mi>{space(0.3333)}{inside}<mo stretchy="false">)</mo>',
    )


def ignoring(parser: Parser) -> Atom:
    """A command that says something about its second argument that is not shown."""
    parser.raw_optional()
    parser.raw()
    return kinds.ORDINARY, parser.argument()


def styled(parser: Parser, *, opening: str, display: bool) -> Atom:
    r"""`\displaystyle` and the like: the rest of the row in a style."""
    saved, parser.display = parser.display, display
    made = f"{opening}{parser.rest()}</mstyle>"
    parser.display = saved
    return kinds.ORDINARY, made


def sized(parser: Parser, size: str) -> Atom:
    r"""`\large` and the like: the rest of the row in a size."""
    return kinds.ORDINARY, f'<mstyle mathsize="{size}">{parser.rest()}</mstyle>'


def begun(parser: Parser) -> Atom:
    r"""`\begingroup`, `\bgroup`: as far as `\endgroup`, which ends no row here."""
    return kinds.SPACE, ""


def dirac(parser: Parser, left: str, right: str) -> Atom:
    r"""`\bra{x}`, `\abs{x}`: an argument between two signs that stretch."""
    if parser.tokens[parser.at] == "*":
        parser.at += 1
    return kinds.CLOSING, around(left, parser.argument(), right)


def braket(parser: Parser) -> Atom:
    r"""`\braket{a|b}`, or `\braket{a}{b}` of the physics package."""
    first = parser.argument().replace("<mi>|</mi>", _BAR)
    if parser.tokens[parser.at] == "{":
        first += _BAR + parser.argument()
    return kinds.CLOSING, around("⟨", first, "⟩")


def derivative(parser: Parser, sign: str) -> Atom:
    r"""`\dv[n]{f}{x}`, `\pdv{f}{x}`."""
    order = parser.optional()
    above = parser.inner()
    if parser.tokens[parser.at] != "{":
        above, below = "", above
    else:
        below = parser.inner()
    d = f"<msup><mi>{sign}</mi>{order}</msup>" if order else f"<mi>{sign}</mi>"
    below = f"<msup>{below}{order}</msup>" if order else below
    return kinds.ORDINARY, f"<mfrac><mrow>{d}{above}</mrow><mrow><mi>{sign}</mi>{below}</mrow></mfrac>"


_BAR = '<mo lspace="0" rspace="0" stretchy="true" symmetric="true">|</mo>'


def _named(names: dict[str, str], make: Callable[[Parser, str], Atom]) -> dict[str, Callable[[Parser], Atom]]:
    return {f"\\{name}": partial(_with, make=make, given=value) for name, value in names.items()}


def _with(parser: Parser, *, make: Callable[[Parser, str], Atom], given: str) -> Atom:
    return make(parser, given)


_SIZES = {
    "tiny": ".5em", "scriptsize": ".7em", "footnotesize": ".8em", "small": ".9em", "normalsize": "1em",
    "large": "1.2em", "Large": "1.44em", "LARGE": "1.73em", "huge": "2.07em", "Huge": "2.49em",
}  # fmt: skip

COMMANDS: dict[str, Callable[[Parser], Atom]] = {
    "\\frac": fraction,
    "\\dfrac": partial(fraction, style=_DISPLAY),
    "\\tfrac": partial(fraction, style=_TEXT),
    "\\flatfrac": fraction,
    "\\binom": partial(fraction, line=' linethickness="0"', fences="()"),
    "\\dbinom": partial(fraction, line=' linethickness="0"', fences="()", style=_DISPLAY),
    "\\tbinom": partial(fraction, line=' linethickness="0"', fences="()", style=_TEXT),
    "\\cfrac": continued,
    "\\genfrac": generalised,
    "\\sqrt": root,
    "\\overset": over,
    "\\underset": under,
    "\\stackrel": stacked,
    "\\stackbin": over,
    "\\phantom": phantom,
    "\\hphantom": partial(phantom, padding=' height="0" depth="0"'),
    "\\vphantom": partial(phantom, padding=' width="0"'),
    "\\vec": vector,
    "\\not": negated,
    "\\mathrel": partial(spaced, kind=kinds.RELATION, width=0.2778),
    "\\mathbin": partial(spaced, kind=kinds.BINARY, width=0.2222),
    "\\mathop": large,
    "\\substack": substack,
    "\\pmod": modulo,
    "\\bbox": ignoring,
    "\\displaystyle": partial(styled, opening=_DISPLAY, display=True),
    "\\textstyle": partial(styled, opening=_TEXT, display=False),
    "\\scriptstyle": partial(styled, opening='<mstyle displaystyle="false" scriptlevel="1">', display=False),
    "\\scriptscriptstyle": partial(styled, opening='<mstyle displaystyle="false" scriptlevel="2">', display=False),
    "\\begingroup": begun,
    "\\endgroup": begun,
    "\\braket": braket,
    "\\bra": partial(dirac, left="⟨", right="|"),
    "\\ket": partial(dirac, left="|", right="⟩"),
    "\\Bra": partial(dirac, left="⟨", right="|"),
    "\\Ket": partial(dirac, left="|", right="⟩"),
    "\\Braket": braket,
    "\\expval": partial(dirac, left="⟨", right="⟩"),
    "\\abs": partial(dirac, left="|", right="|"),
    "\\norm": partial(dirac, left="‖", right="‖"),
    "\\dv": partial(derivative, sign="d"),
    "\\pdv": partial(derivative, sign="∂"),
    **{f"\\{name}": partial(classed, kind=kind) for name, kind in _CLASSES.items()},
    **{f"\\{name}": partial(brace, sign=sign, under=name[0] == "u") for name, sign in _BRACES.items()},
    **_named(_ACCENTS, accent),
    **_named(_WIDE, wide),
    **_named(_WIDE_UNDER, wide_under),
    **_named(_LONG_ARROWS, long_arrow),
    **_named(_PADDED, padded),
    **_named(_MARKED, marked),
    **_named(_SIZES, sized),
}
