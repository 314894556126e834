"""What holds for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROCESSES = [HERE / "cli", HERE / "providers", HERE / "store" / "test_bucket.py", HERE / "store" / "test_crash.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start processes of their own are no unit tests, wherever they stand."""
    for item in items:
        if any(item.path.is_relative_to(place) for place in PROCESSES):
            item.add_marker(pytest.mark.system)
