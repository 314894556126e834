"""Paths below a home, as they may be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from amalthea.model.errors import ProviderError


def parts(path: str) -> Sequence[str]:
    """Its names, one by one. Raises `ProviderError` for a path that is not plainly below the home."""
    words = path.split("/")
    if any(word in ("", ".", "..") or "\0" in word for word in words):
        raise ProviderError("that is no path below a home", where=path)
    return words
