"""Code with colours, as CSS classes; see `python_code` for their letters.

Python has a scanner of its own; other languages share one pattern that is made from the table in `languages`. Both are
one pass of one pattern without backtracking, so time grows with the length of the code alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.colours import python_code
from amalthea.services.nbviewer.render.colours.languages import LANGUAGES, PYTHON
from amalthea.services.nbviewer.render.colours.lexical import Language

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*(?:\n|\Z)")
_NUMBER = (
    r"0[xX][\da-fA-F_]++|0[bB][01_]++"
    r"|(?:\d[\d_]*+(?:\.\d[\d_]*+)?|(?<!\w)\.\d++)(?:[eE][+\-]?\d++)?(?:[fFlLuUdDmni]{1,3}(?!\w))?"
)
_FILE_MAGICS = ("writefile", "file")  # the language is told by the name of the file
_MAGIC_LANGUAGES = {
    "bash": "bash",
    "sh": "bash",
    "script": "bash",
    "!": "bash",
    "html": "html",
    "svg": "html",
    "javascript": "javascript",
    "js": "javascript",
    "julia": "julia",
    "r": "r",
    "ruby": "ruby",
    "sql": "sql",
    "css": "css",
    "bigquery": "sql",
    "latex": "latex",
    "markdown": "",
    "perl": "perl",
    "cpp": "c++",
    "octave": "octave",
    "matlab": "matlab",
    "yaml": "yaml",
    "json": "json",
}


def highlight(code: str, language: str) -> str:
    """`code` as HTML with spans; as escaped text where the language is not known."""
    if language in PYTHON:
        return _python(code)
    known = LANGUAGES.get(language)
    return escape.text(code) if known is None else "".join(_spans(code, _scanner(known)))


def _python(code: str) -> str:
    """Python, or what a cell magic says the cell is in."""
    found = _CELL_MAGIC.match(code) if "%%" in code[:200] else None
    other = _other_language(found) if found else None
    if found is None or other is None:
        return python_code.html(code)
    return f'<span class="m">{escape.text(found[0])}</span>{highlight(code[found.end() :], other)}'


def _other_language(magic: re.Match[str]) -> str | None:
    """The language that a cell magic names; None for Python."""
    name = magic[1].lower()
    if name not in _FILE_MAGICS:
        return _MAGIC_LANGUAGES.get(name)
    ending = magic[0].rpartition(".")[2].strip().lower()
    return None if ending in PYTHON else ending


class Scanner(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled language: its pattern, the classes of its groups and of its words.

    names:     for words before a name, the class of that name
    any_case:  whether words count in any case
    """

    pattern: re.Pattern[str]
    kinds: Mapping[str, str]
    words: Mapping[str, str]
    names: Mapping[str, str]
    any_case: bool


@cache
def _scanner(language: Language) -> Scanner:
    comments = [rf"{re.escape(start)}(?s:.*?)(?:{re.escape(end)}|\Z)" for start, end in language.block]
    comments += [rf"{re.escape(start)}[^\n]*+" for start in language.line]
    strings = [_long_string(quote) for quote in language.long]
    strings += [rf"{quote}(?:[^{quote}\\\n]++|\\(?s:.))*+{quote}?" for quote in language.quotes]
    special = {f"special{number}": pattern for number, (_, pattern) in enumerate(language.special)}
    last = {"word": language.name, "n": _NUMBER, "o": r"[+\-*/%=<>!&|^~@]++"}
    parts = {"c": "|".join(comments), **special, "s": "|".join(strings), **last}
    words = dict.fromkeys(language.builtins.split(), "b") | dict.fromkeys(language.keywords.split(), "k")
    return Scanner(
        pattern=re.compile("|".join(f"(?P<{name}>{part})" for name, part in parts.items() if part), re.MULTILINE),
        kinds={name: name for name in "csno"} | dict(zip(special, (kind for kind, _ in language.special), strict=True)),
        words={word.lower(): kind for word, kind in words.items()} if language.any_case else words,
        names=dict.fromkeys(language.functions.split(), "f") | dict.fromkeys(language.types.split(), "t"),
        any_case=language.any_case,
    )


def _long_string(quote: str) -> str:
    """A string that may go over lines: its quote is one character or three."""
    single, more = quote[0], f"|{quote[0]}(?!{quote[0] * 2})" if len(quote) == 3 else ""
    return rf"{quote}(?:[^{single}\\]++|\\(?s:.){more})*+(?:{quote}|\\?\Z)"


def _spans(code: str, scanner: Scanner) -> Iterator[str]:
    position, naming, named_at = 0, "", -1  # what a name that stands there, after one blank, is the name of
    for found in scanner.pattern.finditer(code):
        start, end = found.span()
        if found.lastgroup == "word":
            word = found[0].lower() if scanner.any_case else found[0]
            kind = scanner.words.get(word) or (naming if start == named_at else "")
            naming, named_at = scanner.names.get(word, ""), end + 1
        else:
            kind = scanner.kinds[found.lastgroup or ""]
        if not kind:
            continue
        if start > position:
            yield escape.text(code[position:start])
        yield f'<span class="{kind}">{escape.text(found[0])}</span>'
        position = end
    yield escape.text(code[position:])
