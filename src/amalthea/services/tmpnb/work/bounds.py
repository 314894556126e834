"""How much is kept of a session, for how long, and how long anybody waits for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from amalthea.model.units import ByteSize, Duration

MOST_FILES = 10_000
Count = Annotated[int, Meta(ge=1)]


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """`file` bounds one file and `total` all of a snapshot, in plain bytes; `files` is their number.

    A snapshot is kept for `keep`. `call` bounds one call of a store, `attempt` one snapshot; `transfers` files are
    under way at once in all sessions together, half of them in one, each of them whole in memory. A blob that nobody
    names goes after `grace`, which has to be well above `attempt` and what the clocks of sites may differ by.
    """

    file: ByteSize = ByteSize(32 * 2**20)
    total: ByteSize = ByteSize(256 * 2**20)
    files: Annotated[int, Meta(ge=1, le=MOST_FILES)] = 5000
    keep: Duration = Duration(24 * 3600)
    call: Duration = Duration(30)
    attempt: Duration = Duration(120)
    grace: Duration = Duration(600)
    transfers: Count = 8

    def __post_init__(self) -> None:
        if not 2 * self.attempt <= self.grace <= self.keep / 2:
            raise ValueError("`grace` has to be at least twice `attempt`, and at most half of `keep`")

    @property
    def workers(self) -> int:
        """How many files of one session are under way at once: one whose home hangs must not stop the others."""
        return max(1, self.transfers // 2)

    @property
    def fresh(self) -> timedelta:
        """How long a blob that nothing names yet is sure to be there for an attempt that begins."""
        return timedelta(seconds=self.grace - self.attempt) / 2

    @property
    def trusted(self) -> timedelta:
        """How long what a manifest names is sure to be there: no site's clock is wrong by as much as the other half."""
        return timedelta(seconds=self.keep) / 2
