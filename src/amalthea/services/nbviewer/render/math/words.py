"""Alphabets, text in formulas, colours and measured space: commands whose arguments are not, or not only, math."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.math import alphabets, kinds
from amalthea.services.nbviewer.render.math.atoms import Atom, letter, space
from amalthea.services.nbviewer.render.math.parser import CannotTypeset, Parser, one

_ALPHABETS = {
    "mathbf": "bold", "mathit": "italic", "mathrm": "normal", "mathup": "normal", "mathbb": "double-struck",
    "mathds": "double-struck", "Bbb": "double-struck", "mathcal": "script", "mathscr": "script", "mathfrak": "fraktur",
    "frak": "fraktur", "mathsf": "sans-serif", "mathtt": "monospace", "boldsymbol": "bold-italic", "bm": "bold-italic",
    "pmb": "bold-italic", "symbf": "bold", "symbb": "double-struck", "symcal": "script", "mathnormal": "",
    "mathbfit": "bold-italic", "vb": "bold", "symrm": "normal", "bold": "bold",
}  # fmt: skip
_FROM_HERE = {
    "rm": "normal", "bf": "bold", "it": "italic", "cal": "script", "sf": "sans-serif", "tt": "monospace",
    "bfseries": "bold", "mit": "", "scr": "script", "em": "italic", "sl": "italic", "itshape": "italic",
}  # fmt: skip
_TEXTS = {
    "text": "", "textrm": "", "textnormal": "", "textup": "", "textmd": "", "mbox": "", "hbox": "", "textbf": "bold",
    "textit": "italic", "textsl": "italic", "emph": "italic", "textsf": "sans-serif", "texttt": "monospace",
}  # fmt: skip
_IN_TEXT = re.compile(
    r"\$((?:[^$\\]|\\.)+)\$|\\\(((?:[^\\]|\\[^)])*)\\\)|\\([a-zA-Z]+)\s*|\\(.)|(~|\s+)|(``|''|---?)|[{}]", re.DOTALL
)
_SIGNS_IN_TEXT = {
    "``": "“", "''": "”", "--": "–", "---": "—", "ldots": "…", "dots": "…", "quad": "\u2003", "qquad": "\u2003\u2003",
    "LaTeX": "LaTeX", "TeX": "TeX", "textbackslash": "\\", "S": "§", "euro": "€", "textasciitilde": "~", "P": "¶",
    "textdegree": "°", "degree": "°", "textgreater": ">", "textless": "<", "textunderscore": "_",
    "textquotesingle": "'", "textasciicircum": "^", "ss": "ß", "o": "ø", "O": "Ø",
    "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å",
}  # fmt: skip
_DIMENSION = re.compile(
    r"\s*([+-]?)\s*(\d{1,3}(?:[.,]\d{0,6})?|[.,]\d{1,6})\s*(em|ex|pt|px|mu|cm|mm|in|pc)\b.*", re.DOTALL
)
_EMS = {"em": 1.0, "ex": 0.43, "pt": 0.1, "px": 0.0625, "mu": 0.0556, "cm": 2.845, "mm": 0.2845, "in": 7.227, "pc": 1.2}
_PLAIN = re.compile(r"[\w\u2009\u00a0\u2011∗. ]+")
_NARROW = re.compile(r"\\[, :;!\-_]|[~*\-]")
_NARROW_SIGNS = {"\\,": "\u2009", "\\ ": "\u00a0", "\\:": "\u2009", "\\;": "\u00a0", "\\_": "_", "~": "\u00a0",
                 "-": "\u2011", "*": "∗"}  # fmt: skip
_WIDEST = 40.0  # em
_COLOUR = re.compile(r"[a-zA-Z]{3,20}|#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_CODE = re.compile(r"\s*(?:[xX\"]([0-9a-fA-F]{1,6})|(\d{1,7}))\s*")


def alphabet(parser: Parser, *, variant: str) -> Atom:
    r"""`\mathbf{x}`; a word of letters alone becomes one name."""
    tokens, start = parser.tokens, parser.at
    word = _word(tokens, start + 1) if variant and tokens[start] == "{" else ""
    if len(word) > 1 and tokens[start + 1 + len(word)] == "}":
        parser.at = start + 2 + len(word)
        return kinds.ORDINARY, letter(word, variant)
    saved, atoms = parser.variant, parser.atoms
    parser.use(variant)
    kind, made = parser.atom()
    parser.variant, parser.atoms = saved, atoms
    return kind, made


def _word(tokens: list[str], start: int) -> str:
    end = start
    while len(tokens[end]) == 1 and tokens[end].isascii() and tokens[end].isalpha():
        end += 1
    return "".join(tokens[start:end])


def from_here(parser: Parser, *, variant: str) -> Atom:
    r"""`{\rm x}`: the rest of the group in an alphabet."""
    saved, atoms = parser.variant, parser.atoms
    parser.use(variant)
    word = _word(parser.tokens, parser.at)
    if len(word) > 1:
        parser.at += len(word)
        items = [letter(word, variant), *parser.row(kinds.ORDINARY)]
    else:
        items = parser.row(kinds.CELL)
    parser.variant, parser.atoms = saved, atoms
    return kinds.ORDINARY, one(items)


def function(parser: Parser, text: str, *, kind: int) -> Atom:
    r"""`\operatorname{rank}`: letters with the space of a function's name."""
    plain = _NARROW.sub(lambda found: _NARROW_SIGNS.get(found[0], ""), text).strip()
    if not _PLAIN.fullmatch(plain):
        return kind, parser.again(text, variant="normal")
    return kind, letter(plain, "normal")


def text(parser: Parser, source: str, *, variant: str) -> Atom:
    r"""`\text{if $x$}`: words, with formulas between them."""
    parser.deeper()
    parts, words = list[str](), list[str]()
    _read_text(parser, source, variant, parts, words)
    _end_words(words, variant, parts)
    parser.depth -= 1
    return kinds.ORDINARY, one(parts) if parts else "<mtext></mtext>"


def _end_words(words: list[str], variant: str, parts: list[str]) -> None:
    if words:
        said = "".join(words)
        if said.isalnum():  # a name: beside `<mtext>`, which counts as space, operators would have none
            parts.append(letter(said, variant or "normal"))
        else:
            parts.append(f"<mtext>{escape.text(alphabets.translate(said, variant))}</mtext>")
        words.clear()


def _read_text(parser: Parser, source: str, variant: str, parts: list[str], words: list[str]) -> None:
    position = 0
    while (found := _IN_TEXT.search(source, position)) is not None:
        words.append(source[position : found.start()])
        position = found.end()
        formula, command = found[1] or found[2], found[3]
        if formula:
            _end_words(words, variant, parts)
            parts.append(parser.again(formula))
        elif command and source[position : position + 1] == "{" and (command in _TEXTS or command == "rm"):
            end = _matching(source, position)
            _end_words(words, variant, parts)
            parts.append(text(parser, source[position + 1 : end], variant=_TEXTS.get(command, ""))[1])
            position = end + 1
        elif command in ("rm", "bf", "it", "small", "large", "normalsize", "footnotesize", "scriptsize", "tiny"):
            continue
        else:
            words.append(_said(found, parser))
    words.append(source[position:])
    if words == [""] * len(words):
        words.clear()


def _said(found: re.Match[str], parser: Parser) -> str:
    """What a command or a sign in a text stands for."""
    if found[3]:
        known = _SIGNS_IN_TEXT.get(found[3])
        if known is not None:
            return known
        _, piece = parser.atoms.get(f"\\{found[3]}", (0, ""))
        if piece.count("<") == 2 and "</" in piece:  # \alpha in a text, which MathJax shows
            return piece[piece.index(">") + 1 : piece.rindex("</")].replace("&lt;", "<").replace("&gt;", ">")
        raise CannotTypeset(f"\\{found[3]} in text is not known")
    if found[4]:
        return {" ": "\u00a0", "\\": " ", ",": "\u2009", ";": "\u2004", ":": "\u2005", "!": ""}.get(found[4], found[4])
    if found[5]:
        return "\u00a0"  # blanks at either end would be dropped
    return _SIGNS_IN_TEXT.get(found[0], "")


def _matching(source: str, start: int) -> int:
    depth = 0
    for place in range(start, len(source)):
        depth += {"{": 1, "}": -1}.get(source[place], 0)
        if depth == 0:
            return place
    return len(source)


def coloured(parser: Parser, name: str) -> Atom:
    r"""`\color{red} x`, `\color{red}{x}`."""
    opening = f'<mstyle mathcolor="{_colour(name)}">'
    inside = parser.argument() if parser.tokens[parser.at] == "{" else parser.rest()
    return kinds.ORDINARY, f"{opening}{inside}</mstyle>"


def coloured_part(parser: Parser, name: str) -> Atom:
    r"""`\textcolor{red}{x}`."""
    kind, inside = parser.atom()
    return kind, f'<mstyle mathcolor="{_colour(name)}">{inside}</mstyle>'


def coloured_by_model(parser: Parser) -> Atom:
    r"""`\color[RGB]{255,0,0}`."""
    model, numbers = parser.raw_optional(), parser.raw()
    name = f"#{numbers}" if model == "HTML" else numbers
    if model in ("rgb", "RGB"):
        scale = 255 if model == "rgb" else 1
        values = [
            float(part) * scale
            for part in numbers.split(",")
            if re.fullmatch(r"\d{0,3}\.?\d{0,6}", part) and part not in ("", ".")
        ]
        name = "#" + "".join(f"{min(round(value), 255):02x}" for value in values)
    return coloured(parser, name)


def _colour(name: str) -> str:
    if not _COLOUR.fullmatch(name.strip()):
        raise CannotTypeset("no colour")
    return name.strip()


def logo(parser: Parser, *, name: str) -> Atom:
    r"""`\LaTeX`, set plainly."""
    return kinds.ORDINARY, f"<mtext>{name}</mtext>"


def gap(parser: Parser, dimension: str) -> Atom:
    r"""`\hspace{1em}`."""
    found = _DIMENSION.fullmatch(dimension)
    if found is None:
        raise CannotTypeset("no length")
    width = min(float(found[2].replace(",", ".")) * _EMS[found[3]], _WIDEST)
    return kinds.SPACE, space(-width if found[1] == "-" else width)


def gap_without_braces(parser: Parser) -> Atom:
    r"""`\kern3mu`, `\mskip 3mu`."""
    said = ""
    while len(said) < 12 and not _DIMENSION.fullmatch(said):
        said += parser.step()
    return gap(parser, said)


def ignored(parser: Parser, argument: str) -> Atom:
    """A command that shows nothing, with its argument."""
    return kinds.SPACE, ""


def on_argument(parser: Parser, argument: str) -> Atom:
    r"""`\href{..}{x}`, `\class{..}{x}`: only the second argument is shown."""
    return parser.atom()


def character(parser: Parser, code: str) -> Atom:
    r"""`\unicode{x263a}`."""
    found = _CODE.fullmatch(code.partition("]")[2] or code)
    number = int(found[1], 16) if found and found[1] else int(found[2]) if found else 0
    if not 0x20 <= number <= 0x10FFFF or not chr(number).isprintable():
        raise CannotTypeset("no character")
    return kinds.ORDINARY, f"<mtext>{escape.text(chr(number))}</mtext>"


def _bare(parser: Parser, *, variant: str) -> Atom:
    r"""`\text x`: without braces it is the next character."""
    return text(parser, parser.raw(), variant=variant)


def _bare_function(parser: Parser) -> Atom:
    kind = kinds.FUNCTION
    if parser.tokens[parser.at] == "*":
        parser.at, kind = parser.at + 1, kinds.LIMITED
    return function(parser, parser.raw(), kind=kind)


def boxed_text(parser: Parser, source: str) -> Atom:
    r"""`\fbox{text}`."""
    return kinds.ORDINARY, f'<mrow class="boxed">{text(parser, source, variant="")[1]}</mrow>'


COMMANDS: dict[str, Callable[[Parser], Atom]] = {
    **{f"\\{name}": partial(alphabet, variant=variant) for name, variant in _ALPHABETS.items()},
    **{f"\\{name}": partial(from_here, variant=variant) for name, variant in _FROM_HERE.items()},
    **{f"\\{name}": partial(_bare, variant=variant) for name, variant in _TEXTS.items()},
    "\\operatorname": _bare_function,
    "\\LaTeX": partial(logo, name="LaTeX"),
    "\\TeX": partial(logo, name="TeX"),
    "\\color": coloured_by_model,
    "\\textcolor": coloured_by_model,
    **dict.fromkeys(("\\kern", "\\mkern", "\\hskip", "\\mskip"), gap_without_braces),
}
READERS: dict[str, Callable[[Parser, str], Atom]] = {
    **{f"\\{name}": partial(text, variant=variant) for name, variant in _TEXTS.items()},
    "\\operatorname": partial(function, kind=kinds.FUNCTION),
    "\\operatorname*": partial(function, kind=kinds.LIMITED),
    "\\color": coloured,
    "\\textcolor": coloured_part,
    "\\unicode": character,
    "\\fbox": boxed_text,
    **dict.fromkeys(("\\hspace", "\\hspace*", "\\hskip", "\\kern", "\\mkern", "\\mskip"), gap),
    **dict.fromkeys(("\\require", "\\vspace", "\\vspace*"), ignored),
    **dict.fromkeys(("\\href", "\\class", "\\cssId", "\\style"), on_argument),
}
