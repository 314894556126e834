"""Names that nobody else will choose, and that sort by time: 48 bits of milliseconds, 80 of chance, in base 32."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

CHANCE_BYTES = 10
PATTERN = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
TICK = timedelta(milliseconds=1)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ulid(when: datetime, chance: bytes) -> str:
    """The name for this time and these ten random bytes. Raises `ValueError` for other lengths and before 1970."""
    if len(chance) != CHANCE_BYTES:
        raise ValueError(f"{CHANCE_BYTES} random bytes make a name, not {len(chance)}")
    ticks = (when - _EPOCH) // TICK
    number = int.from_bytes(ticks.to_bytes(6, "big", signed=False) + chance, "big") if ticks >= 0 else -1
    if number < 0:
        raise ValueError("there are no names for times before 1970")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def moment(text: str) -> datetime:
    """When the name was made, to the millisecond. Raises `ValueError` for what is no such name."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text[:_LENGTH]!r} is not 26 characters of Crockford's base 32")
    ticks = 0
    for letter in text[:10]:
        ticks = ticks << 5 | _ALPHABET.index(letter)
    try:
        return _EPOCH + ticks * TICK
    except OverflowError:
        raise ValueError(f"{text!r} is of a time after the year 9999") from None
