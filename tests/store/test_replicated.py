from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from amalthea.model.errors import InvalidKey, ObjectExists, ObjectMissing, StoreUnavailable
from amalthea.model.store import ObjectStore
from amalthea.store.debts import RECORDS
from amalthea.store.memory import MemoryStore
from amalthea.store.replicated import ReplicatedStore
from tests.contracts.store import StoreContract, listed_keys
from tests.store.faulty import FaultyStore, Mood

LIMIT = 0.05


@pytest.fixture
def stores() -> dict[str, FaultyStore]:
    return {name: FaultyStore(MemoryStore()) for name in ("near", "far", "away")}


@pytest.fixture
async def store(stores: dict[str, FaultyStore]) -> AsyncIterator[ReplicatedStore]:
    replicated = ReplicatedStore(stores, limit=LIMIT, failures=2, pause=LIMIT)
    yield replicated
    await replicated.aclose()


class TestReplicatedStore(StoreContract):
    @pytest.fixture(params=[1, 2, 3])
    async def store(self, request: pytest.FixtureRequest) -> AsyncIterator[ObjectStore]:
        store = ReplicatedStore({f"store-{n}": MemoryStore() for n in range(request.param)})
        yield store
        await store.aclose()


class TestReplicatedStoreWithoutItsNearest(StoreContract):
    @pytest.fixture(params=[Mood.FAILING, Mood.HANGING, Mood.MUTE])
    async def store(self, request: pytest.FixtureRequest, stores: dict[str, FaultyStore]) -> AsyncIterator[ObjectStore]:
        stores["near"].mood = request.param
        store = ReplicatedStore(stores, limit=LIMIT, failures=2, pause=60)
        yield store
        await store.aclose()


async def settled(condition: Sequence[str], store: ObjectStore) -> None:
    async with asyncio.timeout(5):
        while await listed_keys(store) != condition:
            await asyncio.sleep(0.001)


async def test_a_put_is_acknowledged_by_two_and_goes_on_to_the_rest(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    await store.put("a", b"1")
    for one in stores.values():
        await settled(["a"], one)


async def test_a_put_that_one_store_alone_can_take_is_refused(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    stores["far"].mood = stores["away"].mood = Mood.FAILING
    for key, if_absent in (("a", False), ("b", True)):
        with pytest.raises(StoreUnavailable, match="too few stores"):
            await store.put(key, b"1", if_absent=if_absent)


async def test_a_create_that_too_few_stores_take_is_withdrawn(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    stores["far"].mood = stores["near"].mood = Mood.FAILING
    with pytest.raises(StoreUnavailable):
        await store.put("a", b"1", if_absent=True)
    assert await listed_keys(stores["away"]) == []


async def test_a_create_that_finds_the_object_anywhere_is_withdrawn(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    await stores["near"].put("a", b"theirs")
    with pytest.raises(ObjectExists):
        await store.put("a", b"ours", if_absent=True)
    assert await listed_keys(stores["away"]) == await listed_keys(stores["far"]) == []
    assert await store.get("a") == b"theirs"


async def test_of_writers_at_several_sites_one_creates(stores: dict[str, FaultyStore]) -> None:
    orders = [("near", "far", "away"), ("far", "away", "near"), ("away", "near", "far")]
    sites = [ReplicatedStore({name: stores[name] for name in order}) for order in orders]
    results = await asyncio.gather(
        *(site.put("a", b"%d" % number, if_absent=True) for number, site in enumerate(sites * 5)),
        return_exceptions=True,
    )
    winners = [number for number, result in enumerate(results) if isinstance(result, str)]
    assert len(winners) == 1
    assert all(isinstance(result, str | ObjectExists) for result in results)
    for one in stores.values():
        assert await one.get("a") == b"%d" % winners[0]


async def test_a_read_falls_over_and_mends_the_nearer_store(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    await stores["away"].put("a", b"1")
    assert await store.get("a") == b"1"
    await settled(["a"], stores["near"])
    await settled(["a"], stores["far"])
    assert (store.stats().elsewhere, store.stats().mended) == (1, 2)


async def test_missing_is_not_said_while_two_stores_are_away(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    stores["far"].mood = Mood.FAILING
    with pytest.raises(ObjectMissing):
        await store.get("a")
    stores["near"].mood = Mood.FAILING
    with pytest.raises(StoreUnavailable):
        await store.get("a")
    with pytest.raises(StoreUnavailable):
        await listed_keys(store)


async def test_a_hanging_store_costs_its_limit_a_few_times_and_then_nothing(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    await store.put("a", b"1")
    stores["near"].mood = Mood.HANGING
    started = time.monotonic()
    assert await store.get("a") == b"1"
    assert time.monotonic() - started < 10 * LIMIT
    calls = stores["near"].calls
    for _ in range(100):
        assert await store.get("a") == b"1"
        await store.put("b", b"2")
    assert stores["near"].calls <= calls + 2 + (time.monotonic() - started) / LIMIT


async def test_a_slow_store_does_not_end_with_the_older_bytes(stores: dict[str, FaultyStore]) -> None:
    class Slowing(MemoryStore):
        delay = 0.03

        async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
            delay, self.delay = self.delay, 0.0
            await asyncio.sleep(delay)
            return await super().put(key, body, if_absent=if_absent)

    slow = Slowing()
    store = ReplicatedStore({"slow": slow, **stores})
    await store.put("a", b"older")
    assert await store.get("a") == b"older"
    await store.put("a", b"newer")
    await store.aclose()
    assert await slow.get("a") == b"newer"


async def test_what_was_deleted_while_a_store_was_away_stays_deleted_for_other_processes(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    await store.put("gone", b"1")
    await store.put("kept", b"old")
    await settled(["gone", "kept"], stores["near"])
    stores["near"].mood = Mood.FAILING
    await store.delete("gone")
    await store.put("kept", b"new")
    await store.aclose()
    stores["near"].mood = Mood.WELL
    other = ReplicatedStore({name: stores[name] for name in ("near", "away", "far")}, limit=LIMIT)
    await other.repair()
    for one in stores.values():
        assert {key: await one.get(key) for key in await listed_keys(one) if not key.startswith(RECORDS)} == {
            "kept": b"new"
        }
    await other.aclose()


async def test_the_records_of_debts_go_away_when_they_are_long_paid(
    stores: dict[str, FaultyStore],
) -> None:
    now = 0.0
    store = ReplicatedStore(stores, limit=LIMIT, pause=0.0, seconds=lambda: now)
    stores["near"].mood = Mood.FAILING
    for number in range(3):
        await store.put("a", b"%d" % number)
        await store.delete("b")
    stores["near"].mood = Mood.WELL
    assert [copy.owed for copy in store.stats().copies] == [2, 0, 0]
    await store.repair()
    assert [copy.owed for copy in store.stats().copies] == [0, 0, 0]
    assert len(await listed_keys(stores["far"], RECORDS)) == 2
    assert await listed_keys(store) == ["a"]
    now = 60.0
    await store.repair()
    assert [await listed_keys(one) for one in stores.values()] == [["a"]] * 3
    await store.aclose()


async def test_keys_of_the_records_are_refused(store: ReplicatedStore) -> None:
    for call in (store.put(RECORDS + "a", b""), store.get(RECORDS + "a"), store.delete(RECORDS + "a")):
        with pytest.raises(InvalidKey):
            await call


async def test_a_record_that_is_not_one_harms_nobody(store: ReplicatedStore, stores: dict[str, FaultyStore]) -> None:
    await store.put("a", b"1")
    for number, body in enumerate(
        [b"", b"[]", b'{"store": "elsewhere", "key": "a"}', b'{"store": "near", "key": "../a"}']
    ):
        await stores["far"].put(f"{RECORDS}{number}", body)
    await store.repair()
    assert await store.get("a") == b"1"


async def test_repair_copies_what_is_missing_and_tells_who_could_not_be_read(
    store: ReplicatedStore, stores: dict[str, FaultyStore]
) -> None:
    for number in range(10):
        await stores["away"].put(f"{number}", b"%d" % number)
    stores["far"].mood = Mood.FAILING
    done = await store.repair()
    assert (done.seen, done.copied, done.failed) == (10, 10, ("far",))
    stores["far"].mood = Mood.WELL
    await asyncio.sleep(2 * LIMIT)
    await store.repair()
    assert await listed_keys(stores["far"]) == [f"{number}" for number in range(10)]


async def test_the_background_pass_repairs_when_a_store_is_back(stores: dict[str, FaultyStore]) -> None:
    store = ReplicatedStore(stores, limit=LIMIT, failures=1, pause=LIMIT)
    stores["near"].mood = Mood.FAILING
    repairing = asyncio.create_task(store.keep_repairing(debts=0.01))
    await store.put("a", b"1")
    await asyncio.sleep(2 * LIMIT)
    stores["near"].mood = Mood.WELL
    await settled(["a"], stores["near"])
    repairing.cancel()
    await asyncio.wait([repairing])
    await store.aclose()
