"""What `apply` tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec


class What(StrEnum):
    """The things that happen, in the order in which they happen to one workload."""

    STARTING = "starting"
    STARTED = "started"
    ADOPTED = "adopted"
    READY = "ready"
    ROUTED = "routed"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, `seconds` after the start of `apply`. `detail` says where, or how many."""

    what: What
    site: str
    workload: str
    seconds: float
    detail: str = ""


Report = Callable[[What, str, str, str], None]
"""Takes what happened, the site, the workload's name and a detail."""
