"""Colours for Python, IPython's magics included: one compiled pattern, one pass, linear time.

A token is matched by one alternative, each with its own group; the group's number says which it is. Alternatives start
with different characters wherever possible and never give characters back (`++`), so no text makes the scan slow.
Identifiers are matched whole and looked up, which is faster than an alternative for each keyword.

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
      (?P<c>\#[^\n]*+)
    | (?P<m>^%%?[a-zA-Z][^\n]*+ | ^[ \t]*+[!%][^\n%=]++[^\n]*+ | ^\?[^\n]++ | ^[\w.]++\?{1,2}$)
    | (?P<prefix>[rRbBuUfFtT]{0,2})(?P<s>
          \"{3}(?:[^"\\]++|\\.|"(?!""))*+(?:\"{3}|\Z)
        | '{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3}|\Z)
        | "(?:[^"\\\n]++|\\.)*+"?
        | '(?:[^'\\\n]++|\\.)*+'? )
    | (?P<define>def|class)(?P<gap>[ \t]++)(?P<name>\w++)
    | (?P<d>^[ \t]*+@[^\W\d][\w.]*+)
    | \.[ \t]*+[^\W\d]\w*+
    | (?P<word>[^\W\d]\w*+)
    | (?P<n>0[xX][\da-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++|(?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:[eE][+\-]?\d++)?[jJ]?)
    | (?P<o>[+\-*/%=<>!&|^~@]++|:=)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_FIELD = re.compile(r"\{\{|\}\}|(\{[^{}\n]{0,300}\})")


def spans(code: str) -> Iterator[str]:
    """The code as pieces of HTML."""
    position = 0
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup
        if kind is None or (kind == "word" and found[0] not in _WORDS):
            continue  # a plain name or an attribute: goes out with the text around it
        start, end = found.span()
        if start > position:
            yield escape.text(code[position:start])
        yield _span(found, kind)
        position = end
    yield escape.text(code[position:])


def _span(found: re.Match[str], kind: str) -> str:
    if kind == "word":
        return f'<span class="{_WORDS[found[0]]}">{found[0]}</span>'
    if kind == "s":
        return _string(found)
    if kind == "name":
        named = "f" if found["define"] == "def" else "t"
        return f'<span class="k">{found["define"]}</span>{found["gap"]}<span class="{named}">{found["name"]}</span>'
    return f'<span class="{kind}">{escape.text(found[0])}</span>'


def _string(found: re.Match[str]) -> str:
    if "f" not in found["prefix"].lower() or "{" not in found["s"]:
        return f'<span class="s">{escape.text(found[0])}</span>'
    parts, position = ['<span class="s">'], 0
    for field in _FIELD.finditer(found[0]):
        if field[1]:
            parts += (
                escape.text(found[0][position : field.start()]),
                f'<span class="e">{escape.text(field[1])}</span>',
            )
            position = field.end()
    return "".join((*parts, escape.text(found[0][position:]), "</span>"))
