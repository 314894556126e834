"""User ids that no account has: each living session runs as one of its own.

What the kernel counts by user (watches, keys, pending signals) is then no session's to use up for the others, and
none can touch the processes of another, should all else fail.
"""

from __future__ import annotations

import zlib
from collections import deque

from amalthea.model.errors import ProviderError

_COUNT = 1024
_UNUSED = (1_900_000_000, 4096)  # below 2**31, and above all that systemd gives away
_IN_A_MAP = (20_000, 32)  # an engine with a user namespace has 65 536 ids to give


class Uids:
    """Lends each id to one borrower at a time, the longest unused first."""

    def __init__(self, instance: str, *, mapped: bool) -> None:
        """1024 ids, most likely of no other instance. `mapped`: the engine maps them to others once more."""
        first, slots = _IN_A_MAP if mapped else _UNUSED
        first += zlib.crc32(instance.encode()) % slots * _COUNT
        self._free = deque(range(first, first + _COUNT))

    def take(self) -> int:
        """An id that nobody has. Raises `ProviderError` when all are lent."""
        if not self._free:
            raise ProviderError(f"there are no more than {_COUNT} user ids for sessions")
        return self._free.popleft()

    def give_back(self, number: int) -> None:
        """It may be lent again, once the others have been."""
        self._free.append(number)
