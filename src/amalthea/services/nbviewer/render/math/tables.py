"""Environments: matrices, cases, aligned equations, arrays.

Columns are aligned and lines are drawn by the classes of the table and its cells, in the style sheet: MathML Core has
no attributes for them. The number of an equation stands in a last column, with a first one as wide to balance it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import msgspec

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.math import kinds
from amalthea.services.nbviewer.render.math.atoms import Atom, table
from amalthea.services.nbviewer.render.math.equations import Line
from amalthea.services.nbviewer.render.math.parser import CannotTypeset, Parser
from amalthea.services.nbviewer.render.math.tokens import END

_DIMENSION = re.compile(r"[+-]?[\d.,]+(?:em|ex|pt|px|mu|cm|mm|in|pc)")
_NEW_LINE = frozenset(("\\\\", "\\cr", "\\newline"))
_RULES = frozenset(("\\hline", "\\hdashline", "\\toprule", "\\midrule", "\\bottomrule"))
_MOST_COLUMNS = 100


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment looks like.

    kind:      class of the table; none for one cell that needs no table
    display:   whether its cells are in display style
    left:      bracket before it, and `right` after it
    pairs:     whether every second column goes on from the one before
    numbered:  whether its lines have numbers, if it does not stand in another
    whole:     one number for all lines
    options:   how many arguments follow its name, other than columns
    columns:   whether a description of the columns follows its name
    """

    kind: str = ""
    display: bool = False
    left: str = ""
    right: str = ""
    pairs: bool = False
    numbered: bool = False
    whole: bool = False
    options: int = 0
    columns: bool = False


_ALIGNED = Layout(kind="aligned", display=True, pairs=True)
_GATHERED = Layout(kind="gathered", display=True)
_CASES = Layout(kind="cases", left="{")
_BRACKETS = {"": "", "p": "()", "b": "[]", "B": "{}", "v": "||", "V": "‖‖"}
_LAYOUTS = {
    "aligned": _ALIGNED, "split": _ALIGNED, "gathered": _GATHERED,
    "alignedat": msgspec.structs.replace(_ALIGNED, options=1),
    "align": msgspec.structs.replace(_ALIGNED, numbered=True),
    "flalign": msgspec.structs.replace(_ALIGNED, numbered=True),
    "alignat": msgspec.structs.replace(_ALIGNED, numbered=True, options=1),
    "xalignat": msgspec.structs.replace(_ALIGNED, numbered=True, options=1),
    "gather": msgspec.structs.replace(_GATHERED, numbered=True),
    "multline": Layout(kind="multline", display=True, numbered=True, whole=True),
    "multlined": Layout(kind="multline", display=True),
    "eqnarray": Layout(kind="eqnarray", display=True, pairs=True, numbered=True),
    "equation": Layout(kind="gathered", display=True, numbered=True, whole=True),
    "displaymath": _GATHERED, "math": Layout(kind="gathered"), "subequations": _GATHERED,
    "cases": _CASES, "dcases": msgspec.structs.replace(_CASES, display=True),
    "rcases": Layout(kind="cases", right="}"), "drcases": Layout(kind="cases", right="}", display=True),
    "array": Layout(kind="array", columns=True), "darray": Layout(kind="array", columns=True, display=True),
    "tabular": Layout(kind="array", columns=True), "smallmatrix": Layout(kind="small"),
    "subarray": Layout(kind="substack", options=1),
    **{f"{name}matrix": Layout(kind="matrix", left=sides[:1], right=sides[1:]) for name, sides in _BRACKETS.items()},
}  # fmt: skip


def begin(parser: Parser, name: str) -> Atom:
    r"""`\begin{name} .. \end{name}`."""
    name = name.strip()
    layout = _LAYOUTS.get(name.rstrip("*"))
    if layout is None:
        raise CannotTypeset(f"environment {name} is not known")
    parser.raw_optional()
    for _ in range(layout.options):
        parser.raw()
    columns = _columns(parser) if layout.columns else []
    numbering = layout.numbered and not name.endswith("*") and parser.depth == 1
    rows = _rows(parser, layout, columns, numbering=numbering)
    _end(parser, name)
    made = _written(rows, layout)
    if not layout.left + layout.right:
        return kinds.ORDINARY, made
    left, right = (f"<mo>{sign}</mo>" if sign else "" for sign in (layout.left, layout.right))
    return kinds.CLOSING, f"<mrow>{left}{made}{right}</mrow>"


def _end(parser: Parser, name: str) -> None:
    r"""Step over `\end{name}`; its name may stand apart."""
    lexeme = parser.step()
    if not lexeme.startswith("\\end") or lexeme[4:].strip(" {}\n\t") not in (name, name.rstrip("*")):
        raise CannotTypeset(f"the end of {name} is missing")


class _Row:
    """A line of a table: cells, whether a rule is above it, its number."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.ruled = False
        self.number = ""


def _rows(parser: Parser, layout: Layout, columns: list[str], *, numbering: bool) -> list[_Row]:
    saved = parser.display, parser.tight, parser.atoms, parser.equations.line
    parser.deeper()
    parser.display, parser.tight = layout.display, False
    parser.equations.line = Line()
    rows = list[_Row]()
    while True:
        row = _Row()
        rows.append(row)
        _cells(parser, row, layout, columns)
        lexeme = parser.tokens[parser.at]
        last = lexeme not in _NEW_LINE
        if layout.whole == last or (not layout.whole and not _is_empty(row)):
            row.number = parser.equations.number(automatic=numbering)
        if last:
            break
        parser.at += 1
        _skip_dimension(parser)
    parser.depth -= 1
    parser.display, parser.tight, parser.atoms, parser.equations.line = saved
    return rows


def _cells(parser: Parser, row: _Row, layout: Layout, columns: list[str]) -> None:
    while parser.tokens[parser.at] in _RULES:
        parser.at += 1
        row.ruled = True
    atoms, variant = table(parser.variant, tight=False), parser.variant
    while True:
        number = len(row.cells)
        parser.atoms, parser.variant = atoms, variant
        items = parser.row(kinds.CELL if layout.pairs and number % 2 else kinds.NONE)
        row.cells.append(_cell(items, columns[number] if number < len(columns) else ""))
        if parser.tokens[parser.at] != "&" or number >= _MOST_COLUMNS:
            return
        parser.at += 1


def _cell(items: list[str], class_: str) -> str:
    return f'<mtd class="{class_}">{"".join(items)}</mtd>' if class_ else f"<mtd>{''.join(items)}</mtd>"


def _skip_dimension(parser: Parser) -> None:
    end = parser.closing_bracket()
    if end is not None and end - parser.at < 12 and _DIMENSION.fullmatch("".join(parser.tokens[parser.at + 1 : end])):
        parser.at = end + 1


def _columns(parser: Parser) -> list[str]:
    """The classes of the columns of `{l|c|r}`."""
    columns, line = list[str](), ""
    signs = parser.raw() if parser.tokens[parser.at] == "{" else ""
    signs = re.sub(r"[@!><*]\{[^{}]*\}(?:\{([^{}]*)\})?|\{[^{}]*\}", lambda found: found[1] or "", signs)
    for sign in signs[: 2 * _MOST_COLUMNS]:
        if sign in "|:":
            if columns:
                columns[-1] = f"{columns[-1]} line-right".strip()
            else:
                line = " line-left"
        elif sign in "lcrpmbXS":
            columns.append(({"l": "to-left", "r": "to-right"}.get(sign, "") + line).strip())
            line = ""
    return columns


def _written(rows: list[_Row], layout: Layout) -> str:
    closing_rule = len(rows) > 1 and rows[-1].ruled and rows[-1].cells == [_cell([], "")]
    if len(rows) > 1 and not rows[-1].number and _is_empty(rows[-1]):
        rows = rows[:-1]
    numbered = any(row.number for row in rows)
    if layout.kind == "gathered" and len(rows) == 1 and len(rows[0].cells) == 1 and not numbered:
        inside = rows[0].cells[0][5:-6]
        return f"<mrow>{inside}</mrow>"
    width = max(len(row.cells) for row in rows) if numbered else 0
    lines = "".join(_line(row, width) for row in rows)
    style = ' displaystyle="true"' if layout.display else ' scriptlevel="1"' if layout.kind == "small" else ""
    more = " numbered" if numbered else ""
    more += " closed" if closing_rule else ""
    return f'<mtable class="{layout.kind}{more}"{style}>{lines}</mtable>'


def _is_empty(row: _Row) -> bool:
    return len(row.cells) == 1 and row.cells[0].endswith("></mtd>") and row.cells[0].count("<") == 2


def _line(row: _Row, width: int) -> str:
    """A line of cells; where lines have numbers, as many cells as the widest, and the number."""
    rule = ' class="ruled"' if row.ruled else ""
    cells = "".join(row.cells)
    if not width:
        return f"<mtr{rule}>{cells}</mtr>"
    missing = "<mtd></mtd>" * (width - len(row.cells))
    number = f"<mtext>{row.number}</mtext>" if row.number else ""
    return f'<mtr{rule}><mtd class="margin"></mtd>{cells}{missing}<mtd class="margin">{number}</mtd></mtr>'


def whole(parser: Parser) -> str:
    """A formula to its end, as lines where it has any without an environment around them."""
    layout = Layout(kind="aligned", display=parser.display, pairs=True)
    first = parser.row()
    if parser.tokens[parser.at] == END and not (parser.equations.line.tag or parser.equations.line.label):
        return "".join(first)
    if parser.tokens[parser.at] == END:
        row = _Row()
        row.cells.append(_cell(first, ""))
        row.number = parser.equations.number(automatic=False)
        return _written([row], Layout(kind="gathered", display=parser.display))
    parser.at = 0
    rows = _rows(parser, layout, [], numbering=False)
    parser.expect(END)
    return _written(rows, layout)


def _tag(parser: Parser, name: str, *, brackets: bool) -> Atom:
    shown = escape.attribute(
        " ".join(name.replace("\\", "").replace("$", "").replace("{", "").replace("}", "").split())[:80]
    )
    parser.equations.line.tag = f"({shown})" if brackets else shown
    return kinds.SPACE, ""


def _label(parser: Parser, name: str) -> Atom:
    parser.equations.line.label = name.strip()[:200]
    return kinds.SPACE, ""


def _unnumbered(parser: Parser) -> Atom:
    parser.equations.line.unnumbered = True
    return kinds.SPACE, ""


def _reference(parser: Parser, name: str, *, brackets: bool) -> Atom:
    return kinds.ORDINARY, f"<mtext>{parser.equations.reference(name.strip()[:200], brackets=brackets)}</mtext>"


def _rule(parser: Parser) -> Atom:
    """A rule that stands where no line of an array begins."""
    return kinds.SPACE, ""


COMMANDS: dict[str, Callable[[Parser], Atom]] = {
    "\\notag": _unnumbered,
    "\\nonumber": _unnumbered,
    **dict.fromkeys(_RULES, _rule),
}
READERS: dict[str, Callable[[Parser, str], Atom]] = {
    "\\begin": begin,
    "\\tag": partial(_tag, brackets=True),
    "\\tag*": partial(_tag, brackets=False),
    "\\label": _label,
    "\\ref": partial(_reference, brackets=False),
    "\\eqref": partial(_reference, brackets=True),
}
