"""Bytes into JSON values, leniently.

The fast reader takes what the standard allows. What it refuses goes to the reader of the standard library, which
knows the habits of Python programs: `NaN` and `Infinity`, lone surrogates, numbers too large for a double. Bytes
that are no UTF-8 become replacement characters. What comes out can always be encoded as UTF-8.
"""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec

from amalthea.services.nbviewer.render.errors import NotANotebook

_MAX_DIGITS = 4000  # the interpreter refuses to convert longer integers


def read(source: bytes) -> Any:
    """The JSON value in `source`. Raises `NotANotebook`."""
    source = source.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_leniently(source)


def _read_leniently(source: bytes) -> Any:
    try:
        return _encodable(json.loads(_text(source), parse_int=_integer))
    except json.JSONDecodeError as error:
        raise NotANotebook(
            f"This file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
            hint=_advice(source),
        ) from error
    except RecursionError as error:
        raise NotANotebook(
            "This file is JSON that is nested too deeply for a notebook.", hint="No notebook program writes such files."
        ) from error


def _text(source: bytes) -> str:
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return source.decode("utf-16", "replace")
    return source.decode("utf-8", "replace")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def _encodable(value: Any) -> Any:
    """The same value with each lone surrogate replaced; they cannot be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def _advice(source: bytes) -> str:
    start = source[:2000].lstrip().lower()
    if not start:
        return "The file is empty."
    if start.startswith(b"<"):
        return "It looks like a web page. Give the address of the file itself, not of the page that shows it."
    if b"<<<<<<<" in source:
        return "It holds the markers of an unfinished merge. Resolve the conflict and save it again."
    if start.startswith(b"version https://git-lfs"):
        return "It is a pointer to a file in Git LFS; the notebook itself is stored elsewhere."
    return "Open it in Jupyter and save it again, or ask its author for a complete copy."
