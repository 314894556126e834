"""Values as they are written in a fleet file."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any

from amalthea.fleet.problem import written
from amalthea.model.wire import builtins

_LONGEST = 60


def literal(value: Any) -> str:
    """A value in the notation of TOML, tables in one line. `value` may be a struct or an amount."""
    match value:
        case bool():
            return str(value).lower()
        case date() | time():
            return value.isoformat()
        case dict():
            pairs = (f"{_key(key)} = {literal(item)}" for key, item in value.items() if item is not None)
            return "{ " + ", ".join(pairs) + " }" if value else "{}"
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(literal(item) for item in value)}]"
    if type(value) in (int, float):
        return str(value)
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return literal(builtins(value))


def shown(value: Any) -> str:
    """A value that stands where another is allowed, short enough for one line of a message."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = literal(value)
    if not text.isprintable():
        text = ascii(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _key(name: str) -> str:
    bare = written((name,))
    return bare if bare == name else literal(name)
