"""What `[providers.X]` may say when its kind is `process`."""

from __future__ import annotations

import msgspec


class ProcessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workloads run as processes of the machine that plans. There is nothing to set."""
