from __future__ import annotations

import pytest

from amalthea.model.errors import AmaltheaError, StoreUnavailable, UsageError
from amalthea.model.store import ObjectStore
from amalthea.store.late import LateStore
from amalthea.store.memory import MemoryStore
from tests.contracts.store import StoreContract, listed


class Opener:
    """Fails as often as there are errors, then gives one store."""

    def __init__(self, *errors: AmaltheaError) -> None:
        self.errors = list(errors)
        self.store = MemoryStore()
        self.tries = 0

    async def __call__(self) -> ObjectStore:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.store


class TestLateStore(StoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return LateStore(Opener(), name="late")


async def test_each_call_tries_to_open_it_until_one_can() -> None:
    opener = Opener(StoreUnavailable("away"), UsageError("no such bucket"))
    store = LateStore(opener, name="late")
    with pytest.raises(StoreUnavailable, match="late: away"):
        await store.put("a", b"")
    with pytest.raises(StoreUnavailable, match="late: no such bucket"):
        await listed(store)
    await store.put("a", b"1")
    assert await store.get("a") == b"1"
    assert opener.tries == 3


async def test_one_that_was_never_opened_closes_without_opening() -> None:
    opener = Opener()
    await LateStore(opener, name="late").aclose()
    assert opener.tries == 0
