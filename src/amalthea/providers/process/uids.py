"""User ids that no account of this machine has: each living session runs as one of its own."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from amalthea.model.errors import ProviderError

_FIRST = 200_000
_COUNT = 1024
_OWNERS = 256


class Uids:
    """Lends each id to one borrower at a time, the longest unused first."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._free = list(numbers)

    @classmethod
    def of(cls, directory: Path) -> Self:
        """1024 ids of the spawner with that directory: most likely no other directory has them."""
        first = _FIRST + zlib.crc32(str(directory).encode()) % _OWNERS * _COUNT
        return cls(range(first, first + _COUNT))

    def take(self) -> int:
        """An id that nobody has. Raises `ProviderError` when all are lent."""
        if not self._free:
            raise ProviderError("there are no user ids left for another session")
        return self._free.pop(0)

    def give_back(self, number: int) -> None:
        """It may be lent again, once the others have been."""
        self._free.append(number)
