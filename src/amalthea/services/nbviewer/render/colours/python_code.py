"""Colours for Python, IPython's magics included: one compiled pattern, one pass, linear time.

The pattern cuts the code at its tokens, and what a token is can be told from its own text alone, so that one seen
before is only looked up. Where a place decides (a magic is one at the start of a line, `match` before a subject), the
token takes as much of the place with it as tells it from its namesakes. Alternatives start with different characters
wherever possible and never give characters back (`++`), so no text makes the scan slow. Identifiers are matched whole,
with the attributes behind them. The code is escaped before it is scanned: `<`, `>` and `&` are operators in their
longer form.

Classes of the spans: c comment, s string, n number, k keyword, b builtin, f name of a function, t name of a class,
d decorator, o operator, m magic, e escape and interpolation.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from functools import lru_cache

from amalthea.services.nbviewer.render import escape

_CONSTANTS = ("True", "False", "None", "NotImplemented", "Ellipsis")
_WORDS = (
    {name: "b" for name in dir(builtins) if not name.startswith("_")}
    | dict.fromkeys(("__file__", "__name__", "__doc__", "cls", "self"), "b")
    | dict.fromkeys(keyword.kwlist, "k")
    | dict.fromkeys(_CONSTANTS, "k")
)
_TOKEN = re.compile(
    r"""
    (?:(?=[^\s()\[\],{}:;])|^)(
      \#[^\n]*+
    | ^%%?[a-zA-Z][^\n]*+ | ^[ \t]*+[!%][^\n%=]++[^\n]*+ | ^\?[^\n]++ | ^[\w.]++\?{1,2}$
    | =[ \t]*+(?:!(?!=)[^\n]++|%[a-zA-Z][^\n]*+)
    | [rRbBuUfFtT]{0,2}(?:
          \"{3}(?:[^"\\]++|\\.|"(?!""))*+(?:\"{3}|\\?\Z)
        | '{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3}|\\?\Z)
        | "(?:[^"\\\n]++|\\.)*+"?
        | '(?:[^'\\\n]++|\\.)*+'? )
    | (?:def|class)[ \t]++\w++
    | ^[ \t]*+@[^\W\d][\w.]*+
    | ^[ \t]*+(?:match|case|type)[ \t]
          (?=[ \t]*+[\w\[({"'\-*](?:[^=:\n\#]++|(?<=[;!=])=|=(?==)|:(?![ \t]*+(?:\#|$)))*+(?::|(?<=[\w\]]\ )=))
    | \.[ \t]*+[^\W\d]\w*+
    | [^\W\d]\w*+(?:\.[^\W\d]\w*+)*+
    | 0[xX][\da-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++|(?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:[eE][+\-]?\d++)?[jJ]?
    | (?:[+\-*/%=!|^~@]|&(?:lt|gt|amp);)++
    )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)  # it begins with a look at what most positions hold: nothing that any alternative starts with
_KIND = re.compile(
    r"""
      (?P<word>[^\W\d]\w*+)(?P<attributes>(?:\.[^\W\d]\w*+)*+)
    | (?P<o>(?:[+\-*/%=!|^~@]|&(?:lt|gt|amp);)++)
    | (?P<n>\.?\d[^\n]*+)
    | (?P<plain>\.[ \t]*+\w++)
    | (?P<prefix>[rRbBuUfFtT]{0,2})(?P<s>["'].*+)
    | (?P<c>\#[^\n]*+)
    | (?P<define>def|class)(?P<gap>[ \t]++)(?P<name>\w++)
    | (?P<d>[ \t]*+@[\w.]++)
    | (?P<indent>[ \t]*+)(?P<soft>match|case|type)[ \t]
    | (?P<assigned>=[ \t]*+)(?P<run>[!%][^\n]++)
    | (?P<m>[^\n]++)
    """,
    re.VERBOSE | re.DOTALL,
)
_REMEMBERED = 1 << 14
_SHORT = 32  # characters of a token that is worth remembering
_DEEPEST = 4  # fields within fields of a string that get colours of their own
_FIELD = re.compile(r"\{\{|\}\}|\{((?:[^{}\n]|\{[^{}\n]{0,100}\}){0,300})\}")
_FORMAT = re.compile(r"(?:![rsa])?(?::[^\[\](){}'\"]*(?:\{[^{}\n]{0,100}\}[^\[\](){}'\"]*)*)?\Z")


def html(code: str) -> str:
    """The code with spans."""
    return _html(escape.text(code), 0)


def _html(code: str, depth: int) -> str:
    parts = _TOKEN.split(code)
    parts[1::2] = [_known(token) if len(token) <= _SHORT else _span(token, depth) for token in parts[1::2]]
    return "".join(parts)


@lru_cache(maxsize=_REMEMBERED)
def _known(token: str) -> str:
    return _span(token, 0)


def _span(token: str, depth: int) -> str:
    """A token, told by its own text, as HTML."""
    found = _KIND.fullmatch(token)
    kind = found.lastgroup if found is not None else None
    if found is None or kind is None or kind == "plain":
        return token
    if kind == "attributes":
        return _word(found["word"]) + found["attributes"]
    if kind == "s":
        return _string(found, depth)
    if kind == "name":
        named = "f" if found["define"] == "def" else "t"
        return f'<span class="k">{found["define"]}</span>{found["gap"]}<span class="{named}">{found["name"]}</span>'
    if kind == "soft":
        return f'{found["indent"]}<span class="k">{found["soft"]}</span>{token[-1]}'
    if kind == "run":
        return f'<span class="o">=</span>{found["assigned"][1:]}<span class="m">{found["run"]}</span>'
    return f'<span class="{kind}">{token}</span>'


def _word(word: str) -> str:
    kind = _WORDS.get(word)
    return word if kind is None else f'<span class="{kind}">{word}</span>'


def _string(found: re.Match[str], depth: int) -> str:
    text = found[0]
    if "{" not in text or depth == _DEEPEST or not set(found["prefix"]) & set("fFtT"):
        return f'<span class="s">{text}</span>'
    return f'<span class="s">{"".join(_fields(text, depth))}</span>'


def _fields(text: str, depth: int) -> Iterator[str]:
    """A formatted string: its text, and its fields as the code that they are."""
    position = 0
    for field in _FIELD.finditer(text):
        if not field[1]:
            continue
        inside = field[1]
        form = _FORMAT.search(inside)
        cut = form.start() if form else len(inside)
        yield text[position : field.start()]
        yield f'<span class="e">{{{_html(inside[:cut], depth + 1)}{inside[cut:]}}}</span>'
        position = field.end()
    yield text[position:]
