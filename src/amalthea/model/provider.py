"""A place that runs workloads, with its own account and its own failure domain: the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from amalthea.model.units import Duration
from amalthea.model.workload import Feature, Running, Workload


class Standing(StrEnum):
    """How an account stands with those who run it."""

    OK = "ok"
    EXPIRING = "expiring"
    LIMITED = "limited"
    LOCKED_OUT = "locked-out"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of its account, and when it was asked."""

    standing: Standing
    detail: str = ""
    checked: datetime | None = None


class Provider(Protocol):
    """Runs workloads. There is no state file: `running` is the truth."""

    name: str
    supports: frozenset[Feature]

    async def running(self) -> Mapping[str, Running]:
        """What runs, by `Workload.key`: observed, never remembered. Raises `ProviderError`."""
        ...

    async def start(self, workload: Workload) -> Running:
        """Start it and return at once, without waiting until it is ready; twice is once.

        Raises `ProviderError`, `PortInUse`.
        """
        ...

    async def stop(self, key: str, *, grace: Duration) -> None:
        """End it: politely, and after `grace` by force. One that is not there is success."""
        ...

    def logs(self, key: str, *, lines: int = 100, follow: bool = False) -> AsyncIterator[str]:
        """The last `lines` lines it wrote, then, with `follow`, each new one as it comes."""
        ...

    async def account(self) -> AccountState:
        """How the account stands."""
        ...

    async def aclose(self) -> None:
        """Let go of connections; whoever opened the provider calls it."""
        ...
