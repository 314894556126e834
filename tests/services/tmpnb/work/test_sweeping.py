from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from amalthea.model.errors import StoreUnavailable
from amalthea.model.store import ObjectStore
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.keys import Name, snapshot_key
from amalthea.services.tmpnb.work.sweeping import Sweep
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.dying import DyingStore
from tests.services.tmpnb.work.scenes import HeldClock, keys, restored, work_at
from tests.store.faulty import FaultyStore, Mood

BOUNDS = Bounds(keep=Duration(7200))


def sweep_of(store: ObjectStore, clock: HeldClock, *spared: str, registry: CollectorRegistry | None = None) -> Sweep:
    instruments = Instruments(registry or CollectorRegistry())
    return Sweep(store, clock=clock, bounds=BOUNDS, instruments=instruments, spared=lambda: spared)


async def sessions(store: ObjectStore) -> set[str]:
    return {key.split("/")[2] for key in await keys(store, "tmpnb/work/")}


async def test_a_session_goes_entirely_when_its_time_is_over(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home, sweep = work_at(store, clock, bounds=BOUNDS), Directory(tmp_path), sweep_of(store, clock)
    home.fill({"a": (b"1", False), "b": (b"2", True)})
    await work.snapshot("old", home)
    await store.put("tmpnb/work/old/what-is-this", b"")
    await store.put("tmpnb/other", b"not ours")
    clock.forward(7200)
    await work.snapshot("young", home)
    assert await sweep.once() == 0
    clock.forward(1)
    assert await sweep.once() == 1
    assert await work.newest("old") is None
    assert await sweep.once() == 3
    assert await sessions(store) == {"young"}
    assert await store.get("tmpnb/other") == b"not ours"


async def test_a_session_restored_and_changed_meanwhile_stays(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    home = Directory(tmp_path / "home")
    home.fill({"a": (b"1", False)})
    await work_at(store, clock, bounds=BOUNDS).snapshot("s", home)
    clock.forward(7201)
    south, sweep = work_at(store, clock, site="south", bounds=BOUNDS), sweep_of(store, clock)
    snapshot = await south.newest("s")
    elsewhere = Directory(tmp_path / "elsewhere")
    assert await sweep.once() == 1
    assert snapshot is not None
    assert (await south.restore(snapshot, elsewhere)).lost == ()
    assert await south.snapshot("s", elsewhere) is not None
    for _ in range(3):
        assert await sweep.once() == 0
    assert await restored(south, await south.newest("s"), tmp_path / "again") == home.tree()


async def test_a_session_that_is_being_kept_anew_between_two_passes_stays(tmp_path: Path) -> None:
    store = DyingStore(MemoryStore(clock := HeldClock()))
    home = Directory(tmp_path / "home")
    home.fill({"a": (b"1", False), "b": (b"2", False)})
    await work_at(store, clock, bounds=BOUNDS).snapshot("s", home)
    clock.forward(7201)
    assert await sweep_of(store, clock).once() == 1
    south, store.left = work_at(store, clock, site="south", bounds=BOUNDS), 1
    with pytest.raises(StoreUnavailable):
        await south.snapshot("s", home)
    assert await sweep_of(store, clock).once() == 0
    store.left = None
    assert await restored(south, await south.snapshot("s", home), tmp_path / "again") == home.tree()


async def test_what_lives_here_is_spared_though_nothing_changes(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home = work_at(store, clock, bounds=BOUNDS), Directory(tmp_path)
    home.fill({"a": (b"1", False)})
    await work.snapshot("s", home)
    clock.forward(999_999)
    assert await sweep_of(store, clock, "s").once() == 0
    assert await sweep_of(store, clock).once() == 1


async def test_a_manifest_of_a_time_to_come_does_not_stay_for_ever(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    await store.put(snapshot_key("s", Name("0" + "Z" * 25, "south")), b"forged, or of a wrong clock")
    assert await sweep_of(store, clock).once() == 0
    clock.forward(7201)
    assert await sweep_of(store, clock).once() == 1


async def test_a_store_that_fails_is_counted_and_asked_again(tmp_path: Path) -> None:
    store, registry = FaultyStore(MemoryStore(clock := HeldClock())), CollectorRegistry()
    home = Directory(tmp_path)
    home.fill({"a": (b"1", False)})
    await work_at(store, clock, bounds=BOUNDS).snapshot("s", home)
    clock.forward(7201)
    sweep = sweep_of(store, clock, registry=registry)
    store.mood = Mood.FAILING
    assert await sweep.once() == 0
    store.mood = Mood.WELL
    assert await sweep.once() == 1
    assert registry.get_sample_value("amalthea_tmpnb_work_sweep_failures_total") == 1
    assert registry.get_sample_value("amalthea_tmpnb_work_swept_total") == 1
