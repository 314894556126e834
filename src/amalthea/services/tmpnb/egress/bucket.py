"""A token bucket: a steady rate, with some room for bursts."""

from __future__ import annotations


class Bucket:
    """`rate` tokens a second, `size` of them at most. Times are in seconds, from any beginning.

    A clock that is set back costs nobody anything.
    """

    def __init__(self, *, rate: float, size: float, now: float) -> None:
        self._rate = rate
        self._size = size
        self._tokens = size
        self._at = now

    def spend(self, amount: float, now: float) -> float:
        """Take tokens, in advance where there are too few, and return the seconds to wait before using them.

        Whoever comes next waits longer, so the sum of all stays within the rate.
        """
        self._fill(now)
        self._tokens -= amount
        return max(0.0, -self._tokens / self._rate)

    def try_spend(self, amount: float, now: float) -> float:
        """Take tokens if there are enough, and return 0; or else take none, and return the seconds until there are."""
        self._fill(now)
        if self._tokens >= amount:
            self._tokens -= amount
            return 0.0
        return (amount - self._tokens) / self._rate

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
