from __future__ import annotations

import pytest

from amalthea.model.errors import ObjectExists, ObjectMissing, StoreUnavailable
from amalthea.model.store import ObjectStore
from amalthea.store.memory import MemoryStore
from amalthea.store.retrying import RetryingStore, jitter
from tests.contracts.store import StoreContract, listed_keys
from tests.store.faulty import FaultyStore, Mood


class Time:
    """Seconds that pass only while somebody sleeps; `wakes` happens then."""

    def __init__(self, store: FaultyStore | None = None, *, well_after: int = 0) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.store = store
        self.well_after = well_after

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        if self.store is not None and len(self.slept) >= self.well_after:
            self.store.mood = Mood.WELL

    def seconds(self) -> float:
        return self.now


def retrying(store: ObjectStore, time: Time, *, deadline: float = 100.0) -> RetryingStore:
    return RetryingStore(
        store,
        attempts=4,
        first=1.0,
        longest=3.0,
        deadline=deadline,
        sleep=time.sleep,
        seconds=time.seconds,
        share=lambda: 1.0,
    )


class TestRetryingStore(StoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return retrying(MemoryStore(), Time())


async def test_waits_double_up_to_a_bound() -> None:
    faulty = FaultyStore(MemoryStore())
    faulty.mood = Mood.FAILING
    time = Time(faulty, well_after=3)
    await retrying(faulty, time).put("a", b"1")
    assert time.slept == [1.0, 2.0, 3.0]
    assert await faulty.get("a") == b"1"


async def test_attempts_are_bounded() -> None:
    faulty = FaultyStore(MemoryStore())
    faulty.mood = Mood.FAILING
    with pytest.raises(StoreUnavailable):
        await retrying(faulty, Time()).get("a")
    assert faulty.calls == 4


async def test_no_attempt_begins_behind_the_deadline() -> None:
    faulty = FaultyStore(MemoryStore())
    faulty.mood = Mood.FAILING
    with pytest.raises(StoreUnavailable):
        await retrying(faulty, Time(), deadline=3.5).delete("a")
    assert faulty.calls == 3


async def test_only_unavailability_is_asked_again() -> None:
    faulty = FaultyStore(MemoryStore())
    with pytest.raises(ObjectMissing):
        await retrying(faulty, Time()).get("a")
    assert faulty.calls == 1


async def test_a_create_whose_answer_was_lost_is_still_ours() -> None:
    faulty = FaultyStore(MemoryStore())
    faulty.mood = Mood.MUTE
    etag = await retrying(faulty, Time(faulty, well_after=1)).put("a", b"mine", if_absent=True)
    assert [info.etag async for info in faulty.list()] == [etag]


async def test_a_create_that_finds_other_bytes_has_lost() -> None:
    faulty = FaultyStore(MemoryStore())
    await faulty.put("a", b"theirs")
    faulty.mood = Mood.FAILING
    with pytest.raises(ObjectExists):
        await retrying(faulty, Time(faulty, well_after=1)).put("a", b"mine", if_absent=True)


async def test_a_listing_that_breaks_off_goes_on_behind_the_last_key() -> None:
    faulty = FaultyStore(MemoryStore())
    for key in "abcd":
        await faulty.put(key, b"")
    store, seen = retrying(faulty, Time(faulty, well_after=1)), list[str]()
    async for info in store.list():
        seen.append(info.key)
        if info.key == "b":
            faulty.mood = Mood.FAILING
    assert seen == ["a", "b", "c", "d"]
    assert await listed_keys(store) == seen


def test_jitter_is_a_share() -> None:
    shares = {jitter() for _ in range(100)}
    assert len(shares) > 90
    assert all(0 <= share <= 1 for share in shares)
