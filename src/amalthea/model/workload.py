"""What a provider runs, and what it says of what runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from amalthea.model.units import Duration
from amalthea.model.wire import encode

EDGE = "edge"
"""The service name of the proxy's own workloads."""


class Feature(StrEnum):
    """Something a workload may need and a provider may lack."""

    FIXED_PORT = "a port of its own choice"
    SHARED_FILES = "files of the machine that plans"


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """A process to keep running.

    `argv[0]` is `amalthea` or `envoy`: the provider knows where that program is. `ports` maps a port's
    name to its number, 0 for one that the provider picks; the process learns them from
    `AMALTHEA_PORT_<NAME>`. `launch` is a JSON text, handed over in `AMALTHEA_LAUNCH`.
    """

    name: str
    service: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    ports: Mapping[str, int] = msgspec.field(default_factory=lambda: {"http": 0, "admin": 0})
    launch: str = ""
    version: str = ""
    ready: str = "/-/readyz"
    grace: Duration = Duration(10)
    needs: frozenset[Feature] = frozenset()
    outlives_keeper: bool = False

    @property
    def digest(self) -> str:
        """Eight hex digits that change when anything about the workload changes."""
        return hashlib.sha256(encode(self).encode()).hexdigest()[:8]

    @property
    def key(self) -> str:
        """Its name at the provider: a changed workload is another one, so both can run for a while."""
        return f"{self.name}.{self.digest}"


class State(StrEnum):
    """What a provider sees of a workload."""

    RUNNING = "running"
    RESTARTING = "restarting"
    ORPHANED = "orphaned"
    STOPPED = "stopped"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One workload as observed. `memory` is its proportional share in bytes, where the provider knows."""

    key: str
    name: str
    service: str
    state: State
    address: str = "127.0.0.1"
    ports: Mapping[str, int] = {}
    pids: tuple[int, ...] = ()
    started: datetime | None = None
    memory: int | None = None
    detail: str = ""
