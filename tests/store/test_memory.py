from __future__ import annotations

import pytest

from amalthea.model.store import ObjectStore
from amalthea.store.memory import MemoryStore
from tests.contracts.store import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryStore()
