from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.model.clock import system_clock
from amalthea.model.errors import InvalidKey, StoreError, Unreachable
from amalthea.model.spawner import HomeFile
from amalthea.model.store import ObjectStore
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.snapshot import Snapshot
from amalthea.services.tmpnb.work.why import Why
from amalthea.services.tmpnb.work.work import Work
from amalthea.store.filesystem import FilesystemStore
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory, Tree
from tests.services.tmpnb.work.dying import DyingStore
from tests.services.tmpnb.work.scenes import TREES, HeldClock, keys, restored, work_at
from tests.store.faulty import FaultyStore, Mood


@given(tree=TREES)
@settings(max_examples=25, deadline=None)
def test_what_is_restored_is_what_was_there(tree: Tree) -> None:
    async def check(place: Path) -> None:
        store, clock = MemoryStore(), HeldClock()
        home = Directory(place / "home")
        home.fill(tree)
        snapshot = await work_at(store, clock).snapshot("s", home, facts={"token": "x"})
        elsewhere = work_at(store, clock, site="south")
        assert await elsewhere.newest("s") == snapshot
        assert await restored(elsewhere, snapshot, place / "other") == tree

    with tempfile.TemporaryDirectory() as place:
        asyncio.run(check(Path(place)))


async def test_the_store_on_disk_keeps_it_as_well(tmp_path: Path) -> None:
    store = await FilesystemStore.open(tmp_path / "store")
    home = Directory(tmp_path / "home")
    home.fill({"a/b.ipynb": (b"{}" * 50_000, False), "run.sh": (b"#!", True), "empty": (b"", False)})
    await work_at(store, system_clock).snapshot("s", home)
    south = work_at(store, system_clock, site="south")
    assert await restored(south, await south.newest("s"), tmp_path / "other") == home.tree()
    await south.forget("s")
    assert await keys(store) == []
    await store.aclose()


EDITS = st.lists(st.tuples(TREES, st.none() | st.integers(0, 6), st.booleans()), min_size=1, max_size=5)


@given(edits=EDITS)
@settings(max_examples=25, deadline=None)
def test_the_newest_manifest_is_whole_wherever_the_writer_dies(edits: Sequence[tuple[Tree, int | None, bool]]) -> None:
    """Each edit is followed by a snapshot; it dies after so many puts, and then goes on or is another process."""

    async def check(place: Path) -> None:
        store, clock = DyingStore(MemoryStore()), HeldClock()
        work, home, kept = work_at(store, clock), Directory(place / "home"), None
        for number, (tree, store.left, another) in enumerate(edits):
            home.fill(tree)
            try:
                await work.snapshot("s", home)
                kept = tree
            except StoreError:
                work = work_at(store, clock) if another else work
            clock.forward(7)
            store.left = None
            newest = await work.newest("s")
            assert (newest is None) == (kept is None)
            if kept is not None:
                assert await restored(work, newest, place / str(number)) == kept
            await work.tidy("s")

    with tempfile.TemporaryDirectory() as place:
        asyncio.run(check(Path(place)))


@given(trees=st.lists(TREES, min_size=2, max_size=2), order=st.permutations(range(2)))
@settings(max_examples=15, deadline=None)
def test_stores_of_two_sites_merge_by_union_in_any_order(trees: list[Tree], order: list[int]) -> None:
    async def check(place: Path) -> None:
        clock, stores, home = HeldClock(), [MemoryStore(), MemoryStore()], Directory(place / "home")
        for number, tree in enumerate(trees):
            home.fill(tree)
            await work_at(stores[number], clock, site=f"site{number}").snapshot("s", home)
        union = MemoryStore()
        for number in order:
            for key in await keys(stores[number]):
                await union.put(key, await stores[number].get(key))
        newest = await work_at(union, clock).newest("s")
        each = [await work_at(store, clock).newest("s") for store in stores]
        assert newest == max((one for one in each if one is not None), key=lambda one: one.name)
        await restored(work_at(union, clock), newest, place / "other")

    with tempfile.TemporaryDirectory() as place:
        asyncio.run(check(Path(place)))


async def test_the_newest_is_the_same_in_whatever_order_manifests_came(tmp_path: Path) -> None:
    clock, home, made = HeldClock(), Directory(tmp_path), list[tuple[MemoryStore, Snapshot]]()
    for site in ("north", "south", "west"):
        home.fill({site: (b"", False)})
        store = MemoryStore()
        snapshot = await work_at(store, clock, site=site).snapshot("s", home)
        assert snapshot is not None
        made.append((store, snapshot))
        clock.forward(1)
    for order in permutations(made):
        union = MemoryStore()
        for store, _ in order:
            for key in await keys(store):
                await union.put(key, await store.get(key))
        assert await work_at(union, clock).newest("s") == made[-1][1]


async def test_only_what_changed_is_read_and_put_and_nothing_changed_is_no_snapshot(tmp_path: Path) -> None:
    store, clock = FaultyStore(MemoryStore()), HeldClock()
    work, home = work_at(store, clock), Directory(tmp_path)
    home.fill({"a": (b"1", False), "b": (b"2", False), "c": (b"2", False)})
    first = await work.snapshot("s", home)
    assert first is not None
    assert sorted(home.asked) == ["a", "b", "c"]
    home.asked, store.calls = [], 0
    assert await work.snapshot("s", home) is None
    assert (home.asked, store.calls) == ([], 0)
    (tmp_path / "b").write_bytes(b"more")
    second = await work.snapshot("s", home)
    assert second is not None
    assert home.asked == ["b"]
    assert second.name > first.name
    assert len(await keys(store, "tmpnb/work/s/blob/")) == 3


async def test_a_change_that_its_time_does_not_show_is_found_all_the_same(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), system_clock), Directory(tmp_path)
    home.fill({"a": (b"old", False)})
    now = datetime.now().timestamp()
    os.utime(tmp_path / "a", (now, now))
    assert await work.snapshot("s", home)
    (tmp_path / "a").write_bytes(b"new")
    os.utime(tmp_path / "a", (now, now))
    assert await restored(work, await work.snapshot("s", home), tmp_path / "other") == {"a": (b"new", False)}


async def test_facts_modes_and_removals_are_changes(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path)
    home.fill({"a": (b"1", False), "b": (b"2", False)})
    assert await work.snapshot("s", home, facts={"token": "1"})
    changed = await work.snapshot("s", home, environment="python", facts={"token": "2"})
    assert changed is not None
    assert (changed.facts, changed.environment) == ({"token": "2"}, "python")
    (tmp_path / "a").chmod(0o755)
    (tmp_path / "b").unlink()
    snapshot = await work.snapshot("s", home, environment="python", facts={"token": "2"})
    assert snapshot is not None
    assert [(file.path, file.executable) for file in snapshot.files] == [("a", True)]


async def test_a_snapshot_follows_the_one_it_was_restored_from_whatever_the_clocks_say(tmp_path: Path) -> None:
    store, fast, slow = MemoryStore(), HeldClock(), HeldClock()
    fast.forward(300)
    home = Directory(tmp_path)
    home.fill({"a": (b"1", False)})
    before = await work_at(store, fast).snapshot("s", home)
    home.fill({"a": (b"22", False)})
    south = work_at(store, slow, site="south")
    after = await south.snapshot("s", home)
    assert before is not None
    assert after is not None
    assert after.name > before.name
    assert await south.newest("s") == after


class Restless(Directory):
    """A home where `path` grows whenever anybody looks at anything, while `busy`."""

    path, busy = "log", True

    async def read(self, path: str, *, most: int) -> bytes:
        body = await super().read(path, most=most)
        if self.busy:
            with (self.root / self.path).open("ab") as file:
                file.write(b"!")
        return body


async def test_a_file_that_changes_while_it_is_read_is_taken_at_the_next_round(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Restless(tmp_path)
    home.fill({"a": (b"1", False), "log": (b"2", False)})
    first = await work.snapshot("s", home)
    assert first is not None
    assert [file.path for file in first.files] == ["a"]
    assert [(line.path, line.why) for line in first.missed] == [("log", Why.CHANGING)]
    home.busy = False
    second = await work.snapshot("s", home)
    assert second is not None
    assert [file.path for file in second.files] == ["a", "log"]
    assert second.missed == []


async def test_a_file_that_changes_while_it_is_read_stays_as_it_was(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Restless(tmp_path)
    home.busy = False
    home.fill({"a": (b"1", False), "log": (b"2", False)})
    await work.snapshot("s", home)
    home.busy = True
    home.fill({"a": (b"new", False), "log": (b"more", False)})
    tree = await restored(work, await work.snapshot("s", home), tmp_path / "other")
    assert tree == {"a": (b"new", False), "log": (b"2", False)}


async def test_a_file_that_never_holds_still_is_kept_in_the_end(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Restless(tmp_path)
    home.fill({"log": (b"2", False)})
    for _ in range(5):
        await work.snapshot("s", home)
    newest = await work.newest("s")
    assert newest is not None
    assert [file.path for file in newest.files] == ["log"]


async def test_what_was_put_is_not_put_again_when_the_manifest_failed(tmp_path: Path) -> None:
    store, clock = DyingStore(MemoryStore()), HeldClock()
    work, home = work_at(store, clock), Directory(tmp_path)
    home.fill({"a": (b"1", False), "b": (b"2", False)})
    store.left = 2
    with pytest.raises(StoreError):
        await work.snapshot("s", home)
    store.left = 1
    assert await work.snapshot("s", home)


async def test_work_that_somebody_removed_is_put_anew(tmp_path: Path) -> None:
    store, clock = MemoryStore(), HeldClock()
    work, home = work_at(store, clock), Directory(tmp_path / "home")
    home.fill({"a": (b"1", False), "b": (b"2", False)})
    await work.snapshot("s", home)
    await work_at(store, clock, site="south").forget("s")
    home.fill({"a": (b"new", False), "b": (b"2", False)})
    assert await restored(work, await work.snapshot("s", home), tmp_path / "other") == home.tree()


async def test_what_was_written_long_ago_is_written_anew_though_nothing_changed(tmp_path: Path) -> None:
    store, clock = MemoryStore(), HeldClock()
    bounds = Bounds(keep=Duration(7200))
    work, home = work_at(store, clock, bounds=bounds), Directory(tmp_path / "home")
    home.fill({"a": (b"1", False)})
    await work.snapshot("s", home)
    clock.forward(3500)
    assert await work.snapshot("s", home) is None
    clock.forward(200)
    assert await work.snapshot("s", home) is not None


async def test_a_store_that_hangs_ends_an_attempt_in_time(tmp_path: Path) -> None:
    store = FaultyStore(MemoryStore())
    bounds = Bounds(call=Duration(0.05), attempt=Duration(5))
    work, home = work_at(store, HeldClock(), bounds=bounds), Directory(tmp_path)
    home.fill({"a": (b"1", False)})
    store.mood = Mood.HANGING
    with pytest.raises(StoreError, match="no answer within"):
        await work.snapshot("s", home)
    with pytest.raises(StoreError, match="no answer within"):
        await work.newest("s")
    store.mood = Mood.WELL
    assert await work.snapshot("s", home)


class Hanging(Directory):
    """A home that nobody comes back from."""

    async def scan(self) -> Sequence[HomeFile]:
        await asyncio.get_running_loop().create_future()
        return ()


async def test_a_home_that_hangs_ends_an_attempt_in_time(tmp_path: Path) -> None:
    work = work_at(MemoryStore(), HeldClock(), bounds=Bounds(attempt=Duration(0.05)))
    with pytest.raises(Unreachable, match="not kept within"):
        await work.snapshot("s", Hanging(tmp_path))


async def test_a_session_by_another_name_is_refused(tmp_path: Path) -> None:
    work: Work = work_at(MemoryStore(), HeldClock())
    with pytest.raises(InvalidKey):
        await work.snapshot("../other", Directory(tmp_path))
    with pytest.raises(InvalidKey):
        await work.newest("a/b")
    with pytest.raises(InvalidKey):
        await work.forget("")


async def test_forgetting_leaves_nothing_of_it_and_all_of_others(tmp_path: Path) -> None:
    store: ObjectStore = MemoryStore()
    work, home = work_at(store, HeldClock()), Directory(tmp_path)
    home.fill({"a": (b"1", False)})
    for session in ("s", "s-2"):
        await work.snapshot(session, home)
    await work.forget("s")
    assert await work.newest("s") is None
    assert {key.split("/")[2] for key in await keys(store)} == {"s-2"}
