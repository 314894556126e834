from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from amalthea.model.store import ObjectStore
from amalthea.store.filesystem import FilesystemStore
from tests.contracts.store import StoreContract


class TestFilesystemStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ObjectStore]:
        store = await FilesystemStore.open(tmp_path / "store")
        yield store
        await store.aclose()
