"""What a session is doing, asked of its own server and its kernels.

A kernel that computes is active, whoever watches. An open tab that only asks again and again what there is, is not:
what counts is what kernels and terminals did last, and what the visitor sent. A tenant can make his server say
anything, so that this decides about idleness alone: the lifetime and the CPU budget hold whatever it says.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from amalthea.services.tmpnb.forwarding.upstream import Upstream

_SECONDS = 5.0


class _Kernel(msgspec.Struct):
    execution_state: str = ""
    last_activity: datetime | None = None


class _Terminal(msgspec.Struct):
    last_activity: datetime | None = None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something computes now, and when something last happened; None when nothing ever did."""

    busy: bool
    last: datetime | None


async def activity(upstream: Upstream, *, base: str, token: str) -> Activity:
    """Ask the server below `base`. Raises `OSError` or `TimeoutError` where it does not say."""
    async with asyncio.timeout(_SECONDS):
        kernels = await upstream.json(f"{base}api/kernels", token=token, kind=list[_Kernel])
        terminals = await _terminals(upstream, base=base, token=token)
    moments = [moment for moment in (one.last_activity for one in (*kernels, *terminals)) if _aware(moment)]
    return Activity(
        busy=any(kernel.execution_state == "busy" for kernel in kernels), last=max(moments) if moments else None
    )


async def _terminals(upstream: Upstream, *, base: str, token: str) -> list[_Terminal]:
    """A server without terminals has none."""
    try:
        found: list[_Terminal] = await upstream.json(f"{base}api/terminals", token=token, kind=list[_Terminal])
    except ConnectionError:
        return []
    return found


def _aware(moment: Any) -> bool:
    return moment is not None and moment.tzinfo is not None
