from __future__ import annotations

import time

import pytest

from amalthea.model.errors import ObjectMissing, StoreUnavailable
from amalthea.model.store import ObjectStore
from amalthea.store.guarded import GuardedStore
from amalthea.store.memory import MemoryStore
from tests.contracts.store import StoreContract, listed
from tests.store.faulty import FaultyStore, Mood


class TestGuardedStore(StoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return GuardedStore(MemoryStore(), name="memory")


class Hand:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_call_that_hangs_ends_at_its_limit() -> None:
    faulty = FaultyStore(MemoryStore())
    faulty.mood = Mood.HANGING
    store = GuardedStore(faulty, name="far", limit=0.05)
    for call in (store.put("a", b""), store.get("a"), store.delete("a"), listed(store)):
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="far"):
            await call
        assert time.monotonic() - started < 1


async def test_after_some_failures_in_a_row_the_store_is_left_alone_and_then_tried_once() -> None:
    faulty, hand = FaultyStore(MemoryStore()), Hand()
    faulty.mood = Mood.FAILING
    store = GuardedStore(faulty, name="far", failures=2, pause=10, seconds=hand)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            await store.get("a")
    assert (faulty.calls, store.open) == (2, True)
    hand.now = 10
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            await store.get("a")
    assert (faulty.calls, store.failures) == (3, 3)
    hand.now = 20
    faulty.mood = Mood.WELL
    await store.put("a", b"")
    assert await store.get("a") == b""
    assert not store.open


async def test_an_object_that_is_missing_is_an_answer() -> None:
    faulty = FaultyStore(MemoryStore())
    store = GuardedStore(faulty, name="near", failures=1)
    for _ in range(3):
        with pytest.raises(ObjectMissing):
            await store.get("a")
    assert faulty.calls == 3


async def test_an_operator_reads_once_that_a_store_fails_and_once_that_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faulty, hand = FaultyStore(MemoryStore()), Hand()
    store = GuardedStore(faulty, name="far", failures=2, pause=10, seconds=hand)
    faulty.mood = Mood.FAILING
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            await store.put("a", b"")
    faulty.mood, hand.now = Mood.WELL, 11.0
    await store.put("a", b"")
    await store.put("a", b"")
    first, second = (record.getMessage() for record in caplog.records)
    assert "far: the store failed 2 times in a row" in first
    assert second == "far: the store answers again"
