"""One mistake in a fleet file: where it is, what was found there and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import msgspec

KeyPath = tuple[str | int, ...]
"""The keys, and the indices in lists, that lead to a value."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`line` counts from 1 and is 0 where the mistake is in no line, as a missing table is."""

    path: KeyPath
    found: str
    allowed: str = ""
    hint: str = ""
    line: int = 0

    @property
    def key(self) -> str:
        """The path as people write it: `services.nbviewer.on[1]`."""
        return written(self.path)

    def __str__(self) -> str:
        place = f"{self.key}: " if self.path else ""
        allowed = f", allowed: {self.allowed}" if self.allowed else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}found {self.found}{allowed}{hint}"


def written(path: KeyPath) -> str:
    """A key path in the notation of TOML, with indices in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else ascii(part))
    return text


def nearest(word: str, names: Iterable[str]) -> str:
    """A hint with the name that `word` was probably meant to be, or nothing."""
    near: Sequence[str] = get_close_matches(word, list(names), n=1)
    return f"did you mean {near[0]}?" if near else ""
