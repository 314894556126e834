"""The process provider keeps the contract of all providers."""

from __future__ import annotations

from tests.contracts.provider import ProviderContract


class TestProcessProvider(ProviderContract):
    """All of it."""
