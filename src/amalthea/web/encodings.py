"""Which of the encodings that pages are kept in a browser takes, as its `Accept-Encoding` says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

Encoding = Literal["br", "gzip", "identity"]

_LONGEST = 256


def accepted(header: str) -> Encoding:
    """The smallest form that the browser takes; plain where it takes none or says nothing."""
    return _accepted(header) if len(header) <= _LONGEST else "identity"


@lru_cache(maxsize=256)
def _accepted(header: str) -> Encoding:
    weights = _weights(header)
    others = weights.get("*", 0.0)
    brotli, gzip = weights.get("br", others), weights.get("gzip", weights.get("x-gzip", others))
    if max(brotli, gzip) <= 0 or max(brotli, gzip) < weights.get("identity", 0.0):
        return "identity"
    return "br" if brotli >= gzip else "gzip"


def _weights(header: str) -> Mapping[str, float]:
    """The weight of each coding; one without a weight has 1, one with a broken weight 0."""
    found = {}
    for part in header.lower().split(","):
        name, _, rest = part.partition(";")
        key, _, value = rest.partition("=")
        found[name.strip()] = _number(value) if key.strip() == "q" else 1.0
    return found


def _number(text: str) -> float:
    plain = text.strip()
    try:
        return float(plain) if plain.replace(".", "", 1).isdecimal() and plain.isascii() else 0.0
    except ValueError:
        return 0.0
