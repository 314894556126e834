"""Over the store that the sites share: what one site kept, another restores when the first is gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry

from amalthea.model.store import ObjectStore
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.instruments import Instruments
from amalthea.services.tmpnb.work.sweeping import Sweep
from amalthea.store.memory import MemoryStore
from amalthea.store.replicated import ReplicatedStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import HeldClock, keys, restored, unpacked, whole, work_at
from tests.store.faulty import FaultyStore, Mood


async def test_the_work_of_a_lost_site_is_restored_at_another_and_goes_on_there(tmp_path: Path) -> None:
    clock, home = HeldClock(), Directory(tmp_path / "home")
    copies = {name: FaultyStore(MemoryStore(clock)) for name in ("north", "south", "west")}
    stores: Mapping[str, ObjectStore] = copies
    north, south = ReplicatedStore(stores), ReplicatedStore(stores)
    home.fill({"a.ipynb": (b"{}" * 20_000, False), "run.sh": (b"#!", True)})
    at_north = work_at(north, clock)
    await at_north.snapshot("s", home, facts={"token": "hash"})
    copies["north"].mood = Mood.FAILING
    at_south = work_at(south, clock, site="south")
    snapshot = await at_south.newest("s")
    assert snapshot is not None
    assert (snapshot.site, snapshot.facts) == ("north", {"token": "hash"})
    assert unpacked(await whole(at_south.archive(snapshot))) == home.tree()
    elsewhere = Directory(tmp_path / "elsewhere")
    assert (await at_south.restore(snapshot, elsewhere)).lost == ()
    assert elsewhere.tree() == home.tree()
    elsewhere.fill({"a.ipynb": (b"more", False)})
    clock.forward(10)
    assert await at_south.snapshot("s", elsewhere) is not None
    copies["north"].mood = Mood.WELL
    assert await restored(at_north, await at_north.newest("s"), tmp_path / "again") == {"a.ipynb": (b"more", False)}
    for store in (north, south):
        await store.aclose()


async def test_two_sites_may_sweep_at_once(tmp_path: Path) -> None:
    clock, home, bounds = HeldClock(), Directory(tmp_path), Bounds(keep=Duration(7200))
    stores: Mapping[str, ObjectStore] = {name: MemoryStore(clock) for name in ("north", "south")}
    home.fill({"a": (b"1", False)})
    both = [ReplicatedStore(stores) for _ in stores]
    await work_at(both[0], clock, bounds=bounds).snapshot("s", home)
    clock.forward(7201)
    for _ in range(2):
        for store in both:
            sweep = Sweep(store, clock=clock, bounds=bounds, instruments=Instruments(CollectorRegistry()))
            await sweep.once()
    for store in both:
        assert await keys(store, "tmpnb/") == []
        await store.aclose()
