from __future__ import annotations

from pathlib import Path

import pytest

from amalthea.model.store import ObjectStore
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.blobs import hashed
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.keys import Name, blob_key, snapshot_key
from amalthea.services.tmpnb.work.work import Work
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import HeldClock, keys, restored, work_at

GRACE = 600.0


async def edit(work: Work, home: Directory, text: str) -> None:
    """One more version of the only file, kept."""
    home.fill({"a": (text.encode(), False)})
    assert await work.snapshot("s", home) is not None
    await work.tidy("s")


async def blobs(store: ObjectStore) -> set[str]:
    return {key.rpartition("/")[2] for key in await keys(store, "tmpnb/work/s/blob/")}


async def test_the_last_two_manifests_stay_and_after_a_while_only_their_blobs(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home = work_at(store, clock), Directory(tmp_path / "home")
    for number in range(5):
        await edit(work, home, f"version {number}")
        clock.forward(10)
    assert len(await keys(store, "tmpnb/work/s/snapshot/")) == 2
    assert len(await blobs(store)) == 5
    for _ in range(2):
        clock.forward(GRACE)
        await work.tidy("s")
    assert await blobs(store) == {hashed(b"version 3"), hashed(b"version 4")}
    assert await restored(work, await work.newest("s"), tmp_path / "other") == home.tree()


async def test_a_version_that_comes_back_is_put_again_where_it_may_be_going(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home = work_at(store, clock), Directory(tmp_path / "home")
    for text in ("old", "1", "22", "333"):
        await edit(work, home, text)
        clock.forward(GRACE)
    await edit(work, home, "old")
    clock.forward(GRACE)
    await work.tidy("s")
    clock.forward(GRACE)
    await work.tidy("s")
    assert await restored(work, await work.newest("s"), tmp_path / "other") == home.tree()


async def test_no_blob_that_a_manifest_of_another_site_names_is_removed(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    north, south, home = work_at(store, clock), work_at(store, clock, site="south"), Directory(tmp_path / "home")
    await edit(south, home, "theirs")
    theirs = await south.newest("s")
    unreadable = Name("01ARZ3NDEK" + "0" * 16, "west")
    await store.put(blob_key("s", hashed(b"newer")), b"as a newer program packs it")
    await store.put(snapshot_key("s", unreadable), b'{"version": 9, "hash": "%s"}' % hashed(b"newer").encode())
    for number in range(6):
        clock.forward(GRACE)
        await edit(north, home, f"version {number}")
    assert {hashed(b"theirs"), hashed(b"newer")} < await blobs(store)
    assert len(await keys(store, "tmpnb/work/s/snapshot/")) == 4
    assert await restored(north, theirs, tmp_path / "other") == {"a": (b"theirs", False)}


async def test_a_blob_that_is_about_to_be_named_is_not_removed(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home = work_at(store, clock), Directory(tmp_path)
    await edit(work, home, "1")
    clock.forward(GRACE)
    await store.put(blob_key("s", hashed(b"of another site")), b"its manifest comes in a moment")
    for number in range(2):
        clock.forward(GRACE / 2)
        await edit(work, home, f"version {number}")
    assert hashed(b"of another site") in await blobs(store)


async def test_a_manifest_under_our_name_and_of_a_time_to_come_drives_none_of_ours_out(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home = work_at(store, clock), Directory(tmp_path / "home")
    for number in range(3):
        await store.put(snapshot_key("s", Name(f"0{number}" + "Z" * 24, "north")), b"forged")
        await edit(work, home, f"version {number}")
    assert await restored(work, await work.newest("s"), tmp_path / "other") == home.tree()


async def test_a_blob_that_went_all_the_same_is_put_anew_though_nothing_changed(tmp_path: Path) -> None:
    store = MemoryStore(clock := HeldClock())
    work, home = work_at(store, clock), Directory(tmp_path / "home")
    await edit(work, home, "1")
    await store.delete(blob_key("s", hashed(b"1")))
    clock.forward(GRACE)
    assert await work.snapshot("s", home) is None
    await work.tidy("s")
    assert await restored(work, await work.snapshot("s", home), tmp_path / "other") == home.tree()


@pytest.mark.parametrize("grace", [100, 7200])
def test_times_that_do_not_fit_each_other_are_refused(grace: int) -> None:
    with pytest.raises(ValueError, match="twice `attempt`"):
        Bounds(grace=Duration(grace), keep=Duration(7200))
