"""What a scanner has to know of a language, and patterns that several of them share."""

from __future__ import annotations

import msgspec


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """The lexical habits of a language.

    keywords, builtins:  words, by blanks
    line:                what starts a comment to the end of the line
    block:               what starts and ends a longer comment
    quotes:              the characters around strings
    long:                strings over several lines, by what starts and ends them
    name:                the pattern of a name, with the characters that it may start with, as in `$x` or `@x`
    any_case:            words count in any case
    special:             patterns that come before all others, each with its class; an empty class is for plain text
    functions, types:    words before the name of a function or of a type, by blanks
    """

    keywords: str
    builtins: str = ""
    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()
    quotes: str = "\"'"
    long: tuple[str, ...] = ()
    name: str = r"[^\W\d]\w*+"
    any_case: bool = False
    special: tuple[tuple[str, str], ...] = ()
    functions: str = ""
    types: str = ""


MEMBER = ("", r"(?<=[\w)\]}])\??\.[^\W\d]\w*+")  # what is behind a dot is no keyword
CHARACTER = ("s", r"'(?:[^'\\\n]|\\[^\n]{1,10}?)'")
C_COMMENTS = (("/*", "*/"),)
HASHED = r"\#?[^\W\d]\w*+"
