"""How near the colours of code come to those of Pygments: for each character that is no blank, the family it is in.

Families are keyword, string, comment, number, name (of whatever kind) and sign (operators and punctuation). In the
finer count builtins, names at their definition and decorators are families of their own. The name of a type may count
as a keyword or as a name. Where we put no span, a character is a name or a sign by itself. IPython's magics are left
out: Pygments' Python does not know them.
"""

from __future__ import annotations

import html
import importlib.util
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module

import msgspec

from amalthea.services.nbviewer.render.colours.code import highlight
from benchmarks.report import Table

_SPAN = re.compile(r'<span class="([a-z]+)">|(</span>)')
_OURS = {"c": "comment", "s": "string", "n": "number", "k": "keyword", "b": "builtin", "f": "defined", "t": "defined",
         "d": "decorator", "o": "sign", "e": "string", "m": "magic"}  # fmt: skip
_THEIRS = (  # the beginning of a token type, and its family; the first that fits
    ("Token.Comment.Preproc", "keyword"),
    ("Token.Comment", "comment"),
    ("Token.Keyword.Type", "type"),
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Operator", "sign"),
    ("Token.Punctuation", "sign"),
    ("Token.Literal.Number", "number"),
    ("Token.Literal", "string"),
    ("Token.Name.Builtin", "builtin"),
    ("Token.Name.Exception", "builtin"),
    ("Token.Name.Decorator", "decorator"),
    ("Token.Name.Function.Magic", "name"),
    ("Token.Name.Function", "defined"),
    ("Token.Name.Class", "defined"),
    ("Token.Name.Tag", "defined"),
    ("Token.Name.Entity", "string"),
    ("Token.Name", "name"),
)
_NAMES = frozenset({"name", "builtin", "defined", "decorator"})


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Of one language: how many characters were compared, and how many are in the same family, roughly and finely.

    apart:  the families that differ most, as (Pygments', ours), with their characters
    """

    language: str
    characters: int
    same: int
    finely: int
    apart: tuple[tuple[tuple[str, str], int], ...]

    @property
    def share(self) -> float:
        """Of the characters, in percent."""
        return 100 * self.same / self.characters


def installed() -> bool:
    """Whether Pygments is here."""
    return importlib.util.find_spec("pygments") is not None


def known() -> frozenset[str]:
    """The languages that Pygments has colours for."""
    names = {alias for _, aliases, *_ in import_module("pygments.lexers").get_all_lexers() for alias in aliases}
    return frozenset(names)


def agreement(language: str, codes: Iterable[str]) -> Agreement:
    """Compare all of some code in one language."""
    pairs: Counter[tuple[str, str]] = Counter()
    for code in codes:
        pairs.update(_compared(code.replace("\r\n", "\n"), language))
    apart: Counter[tuple[str, str]] = Counter()
    for (theirs, ours), number in pairs.items():
        if _roughly(theirs) != _roughly(ours):
            apart[theirs, ours] += number
    return Agreement(
        language=language,
        characters=pairs.total(),
        same=pairs.total() - apart.total(),
        finely=sum(number for (theirs, ours), number in pairs.items() if theirs == ours),
        apart=tuple(apart.most_common(6)),
    )


def table(codes: Mapping[str, list[str]]) -> tuple[Table, dict[str, float]]:
    """The comparison for each language, and the share of each in percent."""
    rows, shares = list[tuple[str, int, float, float, str]](), dict[str, float]()
    for language, texts in sorted(codes.items(), key=lambda item: -sum(map(len, item[1]))):
        made = agreement(language, texts)
        if not made.characters:
            continue
        shares[language] = made.share
        apart = ", ".join(f"{a} as {b} {100 * n / made.characters:.1f}" for (a, b), n in made.apart[:2])
        rows.append((language, made.characters, made.share, 100 * made.finely / made.characters, apart))
    columns = ("language", "characters", "same family %", "names by kind too %", "what differs most, %")
    return Table(title="Colours of code against Pygments", columns=columns, rows=tuple(rows)), shares


def _compared(code: str, language: str) -> Iterator[tuple[str, str]]:
    """For each character that both have a family for: Pygments', ours."""
    families = _families_of_pygments(code, language), _families_of_ours(code, language)
    for sign, theirs, ours in zip(code, *families, strict=True):
        if not sign.isspace() and theirs and ours != "magic":
            either = theirs == "type" and (ours == "keyword" or ours in _NAMES)
            yield ours if either else theirs, ours


def _families_of_ours(code: str, language: str) -> Iterator[str]:
    open_families, position, marked = ["text"], 0, highlight(code, language)
    for found in _SPAN.finditer(marked):
        yield from _plain(html.unescape(marked[position : found.start()]), open_families[-1])
        position = found.end()
        if found[1]:
            open_families.append(_OURS[found[1]])
        else:
            open_families.pop()
    yield from _plain(html.unescape(marked[position:]), "text")


def _families_of_pygments(code: str, language: str) -> Iterator[str]:
    lexer = import_module("pygments.lexers").get_lexer_by_name(language, stripnl=False, ensurenl=False)
    for kind, text in lexer.get_tokens(code):
        if str(kind) == "Token.Error":
            yield from ("" for _ in text)
            continue
        yield from _plain(text, next((family for start, family in _THEIRS if str(kind).startswith(start)), "text"))


def _plain(text: str, family: str) -> Iterator[str]:
    """The family of each character; by itself where it has none."""
    for sign in text:
        yield family if family != "text" else "name" if sign.isalnum() or sign == "_" else "sign"


def _roughly(family: str) -> str:
    return "name" if family in _NAMES else family
