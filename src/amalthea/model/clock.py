"""Time comes in as an argument, so that a test can hold the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the time: always aware, always UTC."""


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)
