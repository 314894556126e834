"""Colours for Python, IPython's magics included: one compiled pattern, one pass, linear time.

A token is matched by one alternative, each with its own group; the group's name says which it is. Alternatives start
with different characters wherever possible and never give characters back (`++`), so no text makes the scan slow.
Identifiers are matched whole, with the attributes behind them, and looked up, which is faster than an alternative for
each keyword. The code is escaped before it is scanned: `<`, `>` and `&` are operators in their longer form.

Classes of the spans: c comment, s string, n number, k keyword, b builtin, f name of a function, t name of a class,
d decorator, o operator, m magic, e escape and interpolation.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator

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
    (?:(?=[^\s()\[\],{}:;])|^)(?:
      (?P<c>\#[^\n]*+)
    | (?P<m>^%%?[a-zA-Z][^\n]*+ | ^[ \t]*+[!%][^\n%=]++[^\n]*+ | ^\?[^\n]++ | ^[\w.]++\?{1,2}$)
    | (?P<assigned>=[ \t]*+)(?P<run>!(?!=)[^\n]++|%[a-zA-Z][^\n]*+)
    | (?P<prefix>[rRbBuUfFtT]{0,2})(?P<s>
          \"{3}(?:[^"\\]++|\\.|"(?!""))*+(?:\"{3}|\\?\Z)
        | '{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3}|\\?\Z)
        | "(?:[^"\\\n]++|\\.)*+"?
        | '(?:[^'\\\n]++|\\.)*+'? )
    | (?P<define>def|class)(?P<gap>[ \t]++)(?P<name>\w++)
    | (?P<d>^[ \t]*+@[^\W\d][\w.]*+)
    | ^(?P<indent>[ \t]*+)(?P<soft>match|case|type)
          (?=[ \t]++[\w\[({"'\-*](?:[^=:\n\#]++|(?<=[;!=])=|=(?==)|:(?![ \t]*+(?:\#|$)))*+(?::|(?<=[\w\]]\ )=))
    | \.[ \t]*+[^\W\d]\w*+
    | (?P<word>[^\W\d]\w*+)(?:\.[^\W\d]\w*+)*+
    | (?P<n>0[xX][\da-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++|(?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:[eE][+\-]?\d++)?[jJ]?)
    | (?P<o>(?:[+\-*/%=!|^~@]|&(?:lt|gt|amp);)++)
    )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)  # it begins with a look at what most positions hold: nothing that any alternative starts with
_DEEPEST = 4  # fields within fields of a string that get colours of their own
_FIELD = re.compile(r"\{\{|\}\}|\{((?:[^{}\n]|\{[^{}\n]{0,100}\}){0,300})\}")
_FORMAT = re.compile(r"(?:![rsa])?(?::[^\[\](){}'\"]*(?:\{[^{}\n]{0,100}\}[^\[\](){}'\"]*)*)?\Z")


def html(code: str) -> str:
    """The code with spans."""
    return _html(escape.text(code), 0)


def _html(code: str, depth: int) -> str:
    parts, position, words = list[str](), 0, _WORDS
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup
        if kind is None:
            continue  # an attribute: goes out with the text around it
        start, end = found.span()
        if kind == "word":
            word = found["word"]
            if word not in words:
                continue
            parts += (code[position:start], '<span class="', words[word], '">', word, "</span>")
            position = start + len(word)
            continue
        if start > position:
            parts.append(code[position:start])
        if kind == "o" or kind == "n" or kind == "c":
            parts += ('<span class="', kind, '">', found[0], "</span>")
        else:
            parts.append(_span(found, kind, depth))
        position = end
    parts.append(code[position:])
    return "".join(parts)


def _span(found: re.Match[str], kind: str, depth: int) -> str:
    if kind == "s":
        return _string(found, depth)
    if kind == "name":
        named = "f" if found["define"] == "def" else "t"
        return f'<span class="k">{found["define"]}</span>{found["gap"]}<span class="{named}">{found["name"]}</span>'
    if kind == "soft":
        return f'{found["indent"]}<span class="k">{found["soft"]}</span>'
    if kind == "run":
        return f'<span class="o">=</span>{found["assigned"][1:]}<span class="m">{found["run"]}</span>'
    return f'<span class="{kind}">{found[0]}</span>'


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
