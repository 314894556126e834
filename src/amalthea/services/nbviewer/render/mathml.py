"""TeX into MathML that a browser draws by itself, without a script.

latex2mathml makes a tree of elements; its own writer turns `&lt;script&gt;` in a formula into a live tag, so the tree
is written here: only elements and attributes of MathML, each value checked, every text escaped. What current browsers
leave out (MathML Core) is put in other words on the way: alphabets such as bold become the Unicode letters for them,
column alignment becomes a class.

TeX is a programming language. Definitions, which could grow without end, are not handed on (see `macros`), and length
and nesting are bounded; whatever fails is shown as its source.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from latex2mathml.converter import Converter

from amalthea.services.nbviewer.render import alphabets, escape
from amalthea.services.nbviewer.render.words import words

_DEEPEST = 60
_ELEMENTS = words(
    "math mrow mi mo mn mtext mspace mfrac msqrt mroot msup msub msubsup mover munder munderover mtable mtr "
    "mtd mlabeledtr mstyle mpadded mphantom menclose merror mmultiscripts mprescripts none"
)
_ENUMERATED = words(
    "accent accentunder align display displaystyle fence form largeop linethickness lspace rspace mathcolor "
    "mathbackground maxsize minsize movablelimits notation scriptlevel separator stretchy symmetric width "
    "height depth voffset columnlines rowlines"
)
_VALUE = re.compile(r"[#+\-]?[A-Za-z0-9]{0,20}(?:\.\d{1,6})?[A-Za-z%]{0,20}(?: [a-z]{1,20}){0,30}")
_LONG_NUMBER = re.compile(r"\d{4}(?![0-9A-Fa-f]{2})")
_REFERENCE = re.compile(r"&#x([0-9A-Fa-f]{1,6});")
_DEFINING = re.compile(
    r"\\(?:def|let|newcommand|renewcommand|newenvironment|DeclareMathOperator|require|href|verb|style|class)(?![a-zA-Z])"
)
_WITHOUT_SHAPE = re.compile(r"\\(?:label|tag|ref|eqref)\*?\s*\{[^{}]{0,200}\}|\\(?:nonumber|notag|newline)(?![a-zA-Z])")
_GREEK_CAPITAL = re.compile(r"&#x0*3(?:9[1-9A-F]|A[0-9]);", re.IGNORECASE)  # upright in TeX, slanted in MathML
_LINES = re.compile(r"\\\\|(?<!\\)&")  # lines, and where they align, without an environment around them
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}]*)\}((?:(?<=at\})|(?<=at\*\}))\{\d*\})?")
_KNOWN = {  # environments, and the ones that the converter has for them; without numbers, which all would be (1)
    **dict.fromkeys(words("align aligned alignat alignedat eqnarray flalign split"), "align*"),
    **dict.fromkeys(words("gather gathered multline multlined"), "matrix"),
    **dict.fromkeys(words("cases dcases"), "cases"),
    "equation": "equation",
    **{name: name for name in words("array matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix")},
}
_ALIGNED = {"left": "left", "right": "right"}


def mathml(tex: str, *, display: bool) -> str | None:
    """A `<math>` element, or None where the TeX is not understood."""
    tex = _WITHOUT_SHAPE.sub(" ", tex)
    if not tex.strip() or _DEFINING.search(tex) or _depth(tex) > _DEEPEST:
        return None
    if display and "\\begin" not in tex and _LINES.search(tex):
        tex = f"\\begin{{aligned}}{tex}\\end{{aligned}}"
    try:
        tex = _ENVIRONMENT.sub(_environment, tex)
        tree = Converter(display="block" if display else "inline").convert_to_element(tex)
        return "".join(_Writer().element(tree))
    except Exception:  # the converter fails on bad TeX in many ways, all of them meaning "cannot"
        return None


def _environment(found: re.Match[str]) -> str:
    known = _KNOWN.get(found[2].rstrip("*"))
    if known is None:
        raise ValueError(found[2])
    return f"\\{found[1]}{{{known}}}"


def _depth(tex: str) -> int:
    """How deep the formula nests at most: braces, scripts without braces, and pairs of commands."""
    deepest = depth = run = 0
    for sign in re.findall(r"\\[a-zA-Z]+|[{}^_]|\S", tex):
        if sign in ("{", "\\left", "\\begin"):
            depth += 1
        elif sign in ("}", "\\right", "\\end"):
            depth -= 1
        run = run + 1 if sign in ("^", "_") or sign[0] == "\\" else run // 2
        deepest = max(deepest, depth, run)
    return deepest


class _Writer:
    """Writes a tree; raises `ValueError` for an element that is not of MathML."""

    def __init__(self) -> None:
        self.depth = 0

    def element(self, node: Element) -> list[str]:
        """The element as pieces of text."""
        tag = node.tag
        self.depth += 1
        if tag not in _ELEMENTS or self.depth > 200:
            raise ValueError(tag)
        parts = ["<", tag, *_attributes(node), ">", _content(node)]
        for child in node:
            parts += self.element(child)
        parts += ("</", tag, ">")
        self.depth -= 1
        return parts


def _content(node: Element) -> str:
    if not node.text:
        return ""
    content = _REFERENCE.sub(_character, node.text) if "&" in node.text else node.text
    variant = node.get("mathvariant")
    if variant:
        content = alphabets.translate(content, variant)
    if content.startswith("\\") and len(content) > 1 and node.tag == "mi":
        raise ValueError(content)  # a command that the converter does not know
    return escape.text(content)


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    printable = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF
    return chr(code) if printable else "\N{REPLACEMENT CHARACTER}"


def _attributes(node: Element) -> list[str]:
    parts = [' mathvariant="normal"'] if node.tag == "mi" and _GREEK_CAPITAL.fullmatch(node.text or "") else []
    for name, value in node.attrib.items():
        if name in _ENUMERATED and _VALUE.fullmatch(value) and not _LONG_NUMBER.search(value):
            parts.append(f' {name}="{value}"')
        elif name == "columnalign" and value in _ALIGNED:
            parts.append(f' class="to-{_ALIGNED[value]}"')
        elif name == "mathvariant" and value == "normal":
            parts.append(' mathvariant="normal"')
    return parts
