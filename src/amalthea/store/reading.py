"""Find an object among its copies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from amalthea.model.errors import ObjectMissing, StoreUnavailable
from amalthea.store.copies import Copy


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The body, the copy it came from, and the nearer ones that had nothing. No body: certainly no object."""

    body: bytes | None
    source: Copy | None = None
    lacking: tuple[Copy, ...] = ()


async def find(key: str, copies: Sequence[Copy], *, enough: int) -> Found:
    """Ask one copy after another. Raises `StoreUnavailable`.

    What was acknowledged is in `enough` copies. When fewer than that cannot be asked, and the others have
    nothing, then there is nothing.
    """
    lacking: list[Copy] = []
    failures: list[StoreUnavailable] = []
    for copy in copies:
        try:
            return Found(body=await copy.store.get(key), source=copy, lacking=tuple(lacking))
        except ObjectMissing:
            lacking.append(copy)
        except StoreUnavailable as failure:
            failures.append(failure)
    if lacking and len(failures) < enough:
        return Found(body=None)
    raise too_few(failures, key)


def too_few(failures: Sequence[StoreUnavailable], key: str) -> StoreUnavailable:
    """The error for a call that needed more stores than answered."""
    reasons = "; ".join(f"{failure.where}: {failure.message}" for failure in failures)
    return StoreUnavailable(
        f"too few stores could do this ({reasons})",
        where=key,
        hint="The call may have had an effect in the other stores. It can be repeated when these are back.",
    )
