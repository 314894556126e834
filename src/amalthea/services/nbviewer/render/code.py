"""Code with colours, as CSS classes; see `python_code` for their letters.

Python has a scanner of its own; other languages share one pattern that is made from the table in `languages`. Both are
one pass of one pattern without backtracking, so time grows with the length of the code alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from amalthea.services.nbviewer.render import escape, python_code
from amalthea.services.nbviewer.render.languages import LANGUAGES, PYTHON, Language

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*(?:\n|\Z)")
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
    "latex": "",
    "markdown": "",
    "writefile": "",
    "file": "",
    "perl": "",
}


def highlight(code: str, language: str) -> str:
    """`code` as HTML with spans; as escaped text where the language is not known."""
    if language in PYTHON:
        return _python(code)
    known = LANGUAGES.get(language)
    return escape.text(code) if known is None else "".join(_spans(code, *_scanner(known)))


def _python(code: str) -> str:
    """Python, or what a cell magic says the cell is in."""
    found = _CELL_MAGIC.match(code) if "%%" in code[:200] else None
    other = _MAGIC_LANGUAGES.get(found[1].lower()) if found else None
    if found is None or other is None:
        return python_code.html(code)
    return f'<span class="m">{escape.text(found[0])}</span>{highlight(code[found.end() :], other)}'


@cache
def _scanner(language: Language) -> tuple[re.Pattern[str], Mapping[str, str], bool]:
    """The pattern for a language, its words' classes, and whether words count in any case."""
    comments = [rf"{re.escape(start)}(?s:.*?)(?:{re.escape(end)}|\Z)" for start, end in language.block]
    comments += [rf"{re.escape(start)}[^\n]*+" for start in language.line]
    strings = [_long_string(quote) for quote in language.long]
    strings += [rf"{quote}(?:[^{quote}\\\n]++|\\(?s:.))*+{quote}?" for quote in language.quotes]
    parts = {
        "c": "|".join(comments),
        "s": "|".join(strings),
        "word": language.name,
        "n": r"0[xX][\da-fA-F_]++|\d[\d_]*+(?:\.\d++)?(?:[eE][+\-]?\d++)?",
        "o": r"[+\-*/%=<>!&|^~@]++",
    }
    pattern = re.compile("|".join(f"(?P<{name}>{part})" for name, part in parts.items() if part))
    words = dict.fromkeys(language.builtins.split(), "b") | dict.fromkeys(language.keywords.split(), "k")
    return pattern, {w.lower(): c for w, c in words.items()} if language.any_case else words, language.any_case


def _long_string(quote: str) -> str:
    """A string that may go over lines: its quote is one character or three."""
    single, more = quote[0], f"|{quote[0]}(?!{quote[0] * 2})" if len(quote) == 3 else ""
    return rf"{quote}(?:[^{single}\\]++|\\(?s:.){more})*+(?:{quote}|\Z)"


def _spans(code: str, pattern: re.Pattern[str], words: Mapping[str, str], any_case: bool) -> Iterator[str]:
    position = 0
    for found in pattern.finditer(code):
        kind = found.lastgroup
        if kind == "word":
            kind = words.get(found[0].lower() if any_case else found[0])
        if kind is None:
            continue
        start, end = found.span()
        if start > position:
            yield escape.text(code[position:start])
        yield f'<span class="{kind}">{escape.text(found[0])}</span>'
        position = end
    yield escape.text(code[position:])
