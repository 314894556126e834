"""Amounts as people write them in the fleet file: `"15 min"`, `"512 MiB"`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Self

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}


def _amount(text: str, units: dict[str, float] | dict[str, int]) -> float:
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2] not in units:
        raise ValueError(f"a number and a unit: {', '.join(units)}")
    return float(found[1]) * units[found[2]]


def _same(kind: type[Duration | ByteSize], text: str, value: float) -> bool:
    try:
        return kind.parse(text) == value
    except ValueError:
        return False


class Duration(float):
    """A span of time in seconds, written `"300 ms"`, `"15 min"`, `"2 h"`."""

    allowed = f'a number and a unit ({", ".join(_SECONDS)}), such as "15 min"'

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what people write; raises `ValueError` for anything else."""
        return cls(_amount(text, _SECONDS))

    def exact(self) -> str:
        """The text that `parse` reads as the same value; `str` may round."""
        text = str(self)
        return text if _same(Duration, text, self) else f"{Decimal(repr(float(self))).normalize():f} s"

    def __str__(self) -> str:
        for unit in ("d", "h", "min", "s"):
            if self >= _SECONDS[unit] and self % _SECONDS[unit] == 0:
                return f"{self / _SECONDS[unit]:.12g} {unit}"
        return f"{float(self):.12g} s" if self >= 1 else f"{self * 1000:.12g} ms"


class ByteSize(int):
    """A number of bytes, written `"512 MiB"`."""

    allowed = 'a number and a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB), such as "512 MiB"'

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what people write; raises `ValueError` for anything else."""
        return cls(_amount(text, _BYTES))

    def exact(self) -> str:
        """The text that `parse` reads as the same value; `str` may round."""
        text = str(self)
        return text if _same(ByteSize, text, self) else f"{int(self)} B"

    def __str__(self) -> str:
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            if self >= _BYTES[unit]:
                return f"{self / _BYTES[unit]:.4g} {unit}"
        return f"{int(self)} B"
