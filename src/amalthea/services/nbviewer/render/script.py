"""A notebook as a program: its code cells as they are, everything else as comments.

Cells are marked with `# %%` (in the comment sign of the language), which editors know, so that the file can be read as
a notebook again. What only IPython understands (magics, `!commands`) becomes a comment too, so that the program runs.
Every character that some program takes for the end of a line starts a new comment: no text turns into code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from amalthea.services.nbviewer.render import formats
from amalthea.services.nbviewer.render.colours.languages import PYTHON
from amalthea.services.nbviewer.render.notebook import Cell, Notebook
from amalthea.services.nbviewer.render.reading import read

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")
_MAGIC = re.compile(r"\s*(?:%[\w!]|%%|!|\?)|[^#'\"]*\?{1,2}\s*\Z|\s*\w[\w, ]*=\s*(?:!|%\w)")


class Dialect(msgspec.Struct, frozen=True):
    """How a language writes a comment of one line, and how its files end."""

    comment: str
    extension: str
    end: str = ""


_UNKNOWN = Dialect("#", ".txt")
_DIALECTS: Mapping[str, Dialect] = {
    "bash": Dialect("#", ".sh"),
    "c": Dialect("//", ".c"),
    "c#": Dialect("//", ".cs"),
    "c++": Dialect("//", ".cpp"),
    "clojure": Dialect(";;", ".clj"),
    "common lisp": Dialect(";;", ".lisp"),
    "coffeescript": Dialect("#", ".coffee"),
    "cpp": Dialect("//", ".cpp"),
    "csharp": Dialect("//", ".cs"),
    "css": Dialect("/*", ".css", " */"),
    "elixir": Dialect("#", ".exs"),
    "erlang": Dialect("%", ".erl"),
    "f#": Dialect("//", ".fsx"),
    "fortran": Dialect("!", ".f90"),
    "fsharp": Dialect("//", ".fsx"),
    "gnuplot": Dialect("#", ".gp"),
    "go": Dialect("//", ".go"),
    "groovy": Dialect("//", ".groovy"),
    "haskell": Dialect("--", ".hs"),
    "html": Dialect("<!--", ".html", " -->"),
    "idl": Dialect(";", ".pro"),
    "java": Dialect("//", ".java"),
    "javascript": Dialect("//", ".js"),
    "julia": Dialect("#", ".jl"),
    "kotlin": Dialect("//", ".kts"),
    "lua": Dialect("--", ".lua"),
    "mathematica": Dialect("(*", ".wl", " *)"),
    "matlab": Dialect("%", ".m"),
    "maxima": Dialect("/*", ".mac", " */"),
    "ocaml": Dialect("(*", ".ml", " *)"),
    "octave": Dialect("%", ".m"),
    "perl": Dialect("#", ".pl"),
    "php": Dialect("//", ".php"),
    "powershell": Dialect("#", ".ps1"),
    "prolog": Dialect("%", ".pl"),
    "pwsh": Dialect("#", ".ps1"),
    "r": Dialect("#", ".r"),
    "ruby": Dialect("#", ".rb"),
    "rust": Dialect("//", ".rs"),
    "sas": Dialect("/*", ".sas", " */"),
    "scala": Dialect("//", ".scala"),
    "scheme": Dialect(";;", ".scm"),
    "sql": Dialect("--", ".sql"),
    "stata": Dialect("//", ".do"),
    "swift": Dialect("//", ".swift"),
    "tcl": Dialect("#", ".tcl"),
    "typescript": Dialect("//", ".ts"),
    "wolfram language": Dialect("(*", ".wl", " *)"),
    **dict.fromkeys(PYTHON, Dialect("#", ".py")),
}


class Script(msgspec.Struct, frozen=True):
    """The text of the program, and how its file's name ends, such as `.py`."""

    text: str
    extension: str


def script(source: bytes) -> Script:
    """A notebook as a program. Raises `NotANotebook` for bytes that are none."""
    value = read(source)
    frame = formats.notebook(value)
    dialect = _DIALECTS.get(frame.language, _UNKNOWN)
    parts = (part for cell in frame.cells for part in _cell(cell, frame, dialect))
    text = "\n".join(parts).replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return Script(text=text, extension=_extension(value, dialect))


def _extension(value: Mapping[str, Any], dialect: Dialect) -> str:
    """What the file says, where that is one."""
    language = formats.mapping(formats.mapping(value.get("metadata")).get("language_info"))
    said = language.get("file_extension")
    return said if isinstance(said, str) and _EXTENSION.fullmatch(said) else dialect.extension


def _cell(value: Any, frame: Notebook, dialect: Dialect) -> Iterator[str]:
    try:
        made = formats.cell(value, frame)
    except (ValueError, OverflowError, RecursionError) as error:
        yield _commented(f"%% This cell could not be read: {error}", dialect)
        return
    if made.folding.remove_cell:
        return
    if made.kind == "code":
        yield _commented("%%", dialect)
        yield "" if made.folding.remove_source else _code(made, dialect)
    else:
        kind = made.kind if made.kind in ("markdown", "raw") else "raw"
        yield _commented(f"%% [{kind}]", dialect)
        yield _commented(made.source.rstrip(), dialect)
    yield ""


def _code(cell: Cell, dialect: Dialect) -> str:
    """The code; where IPython runs it, with what Python does not know as comments."""
    source = cell.source.rstrip()
    if cell.language not in PYTHON:
        return source
    if source.lstrip().startswith("%%"):
        return _commented(source, dialect)
    if not any(sign in source for sign in "%!?"):
        return source
    return "\n".join(_commented(line, dialect) if _MAGIC.match(line) else line for line in source.split("\n"))


def _commented(text: str, dialect: Dialect) -> str:
    if dialect.end:
        text = text.replace(dialect.end.strip(), "")
    return "\n".join(f"{dialect.comment} {line}".rstrip() + dialect.end for line in text.splitlines() or [""])
