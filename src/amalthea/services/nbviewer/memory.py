"""A cache in memory with a limit in bytes: what was used last stays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """Values by key, up to `limit` bytes in all as `size` counts them."""

    def __init__(self, limit: int, size: Callable[[T], int]) -> None:
        self.limit = limit
        self.used = 0
        self._size = size
        self._values: OrderedDict[str, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> T | None:
        """The value, which is now the one used last."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: str, value: T) -> None:
        """Keep it, and let go of what was not used for longest. One larger than the limit is not kept."""
        self.drop(key)
        if self._size(value) > self.limit:
            return
        self._values[key] = value
        self.used += self._size(value)
        while self.used > self.limit:
            _, gone = self._values.popitem(last=False)
            self.used -= self._size(gone)

    def drop(self, key: str) -> None:
        """Let go of it; one that is not there is no error."""
        value = self._values.pop(key, None)
        if value is not None:
            self.used -= self._size(value)
