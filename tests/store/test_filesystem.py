from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.model.clock import system_clock
from amalthea.model.errors import InvalidKey, ObjectMissing, StoreUnavailable
from amalthea.model.store import ObjectStore, check_key
from amalthea.store.filesystem import FilesystemStore
from amalthea.store.layout import key_prefix, object_key, place
from amalthea.store.walk import walk
from tests.contracts.store import StoreContract, keys, listed, listed_keys
from tests.machine import small_disk

NOBODY = 65534


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FilesystemStore]:
    store = await FilesystemStore.open(tmp_path / "store")
    yield store
    await store.aclose()


class TestFilesystemStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ObjectStore]:
        store = await FilesystemStore.open(tmp_path / "store")
        yield store
        await store.aclose()


@given(st.lists(keys, unique=True), st.text("ab/-.d", max_size=4), st.text("ab/-.d", max_size=4))
@settings(deadline=None)
def test_a_walk_gives_the_keys_of_a_prefix_in_order(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], prefix: str, after: str
) -> None:
    root = tmp_path_factory.mktemp("walk")
    for key in names:
        directories, file = place(key)
        directory = root.joinpath(*directories)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / file).touch()
    expected = sorted(key for key in names if key.startswith(prefix) and key > after)
    assert [info.key for info in walk(root, prefix=prefix, after=after)] == expected


@given(keys)
def test_a_file_tells_its_key_and_no_directory_has_its_name(key: str) -> None:
    directories, file = place(key)
    above = ""
    for directory in directories:
        below = key_prefix(above, directory)
        assert below is not None
        assert object_key(above, directory) is None
        above = below
    assert object_key(above, file) == key
    assert key_prefix(above, file) is None


@given(st.text(max_size=6))
def test_a_file_that_the_store_would_not_write_is_no_object(name: str) -> None:
    key = object_key("", name)
    assert key is None or place(check_key(key)) == ((), name)


async def test_files_can_be_found_and_read_by_a_person_but_not_by_other_users(
    store: FilesystemStore, tmp_path: Path
) -> None:
    await store.put("status/2016-12-13.json", b"{}")
    file = tmp_path / "store/status.d/2016-12-13.json"
    assert file.read_bytes() == b"{}"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


async def test_two_processes_worth_of_stores_share_a_directory(store: FilesystemStore) -> None:
    other = await FilesystemStore.open(store.directory)
    await asyncio.gather(*((store, other)[n % 2].put(f"{n}", b"%d" % n) for n in range(40)))
    assert await listed(store) == await listed(other)
    await other.aclose()


async def test_a_symbolic_link_leads_nowhere(store: FilesystemStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("not ours")
    (store.directory / "out.d").symlink_to(secret)
    (store.directory / "link").symlink_to(secret / "file")
    assert await listed_keys(store) == []
    for attempt in (store.get("out/file"), store.get("link"), store.put("out/new", b""), store.delete("out/file")):
        with pytest.raises(StoreUnavailable, match="symbolic link"):
            await attempt
    with pytest.raises(StoreUnavailable):
        await listed_keys(store, "out/")
    await store.put("link", b"ours")
    assert await store.get("link") == b"ours"
    assert [path.name for path in secret.iterdir()] == ["file"]
    assert (secret / "file").read_text() == "not ours"


async def test_a_link_in_place_of_the_temporary_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store/.tmp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        await FilesystemStore.open(tmp_path / "store")


async def test_files_that_are_no_objects_are_left_alone(store: FilesystemStore) -> None:
    os.mkfifo(store.directory / "pipe")
    (store.directory / "plain").mkdir()
    (store.directory / "plain/file").touch()
    (store.directory / ".hidden").touch()
    (store.directory / "x.d").touch()
    os.close(os.open(os.fsencode(store.directory) + b"/\xff", os.O_CREAT))
    assert await listed_keys(store) == []
    with pytest.raises(ObjectMissing):
        await store.get("pipe")


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd", "a/./b"])
async def test_no_key_leads_out_of_the_directory(store: FilesystemStore, tmp_path: Path, key: str) -> None:
    before = _files(tmp_path)
    with pytest.raises(InvalidKey):
        await store.put(key, b"")
    assert _files(tmp_path) == before


def _files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*"))


async def test_old_leftovers_are_swept_at_open_and_young_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp/leftover").write_text("half of an obj")
    store = await FilesystemStore.open(tmp_path)
    assert await listed_keys(store) == []
    await store.aclose()
    assert [file.name for file in (tmp_path / ".tmp").iterdir()] == ["leftover"]
    store = await FilesystemStore.open(tmp_path, clock=lambda: system_clock() + timedelta(hours=2))
    await store.aclose()
    assert list((tmp_path / ".tmp").iterdir()) == []


async def test_a_put_leaves_no_temporary_file(store: FilesystemStore) -> None:
    for if_absent in (True, False):
        await store.put(f"a{if_absent}", b"", if_absent=if_absent)
    assert list((store.directory / ".tmp").iterdir()) == []


async def test_a_clock_that_goes_back_does_not_repeat_an_etag(tmp_path: Path) -> None:
    start = system_clock()
    store = await FilesystemStore.open(tmp_path, clock=lambda: start)
    assert len({await store.put("a", b"1") for _ in range(10)}) == 10
    await store.aclose()


async def test_a_directory_that_is_gone_is_not_made_again_behind_a_persons_back(store: FilesystemStore) -> None:
    await store.put("a", b"")
    store.directory.rename(store.directory.with_name("moved"))
    for attempt in (store.put("a", b""), store.get("a"), store.delete("a"), listed(store)):
        with pytest.raises(StoreUnavailable, match="gone"):
            await attempt
    assert not store.directory.exists()


async def test_a_cancelled_put_does_not_disturb_the_others(store: FilesystemStore) -> None:
    puts = [asyncio.create_task(store.put(f"{n}", b"")) for n in range(20)]
    await asyncio.sleep(0)
    for put in puts[::2]:
        put.cancel()
    await asyncio.wait(puts)
    assert {f"{n}" for n in range(1, 20, 2)} <= set(await listed_keys(store))


OPEN_AS_NOBODY = f"""
import asyncio, os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from amalthea.model.errors import StoreUnavailable
from amalthea.store.filesystem import FilesystemStore
os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})
try:
    asyncio.run(FilesystemStore.open(Path(sys.argv[1])))
except StoreUnavailable as error:
    print(error)
"""


@pytest.mark.privileged
@pytest.mark.parametrize("mode", [0o555, 0o700])
def test_a_directory_that_is_not_writable_is_a_clear_error_at_open(mode: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        directory = Path(above, "store")
        directory.mkdir()
        directory.chmod(mode)
        child = [sys.executable, "-c", OPEN_AS_NOBODY, str(directory)]
        said = subprocess.run(child, capture_output=True, text=True, timeout=60, check=True).stdout
    assert f"{directory}: the store's directory cannot be used: Permission denied" in said
    assert f"Let user {NOBODY} write there" in said


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size="1m") as disk:
        yield disk


async def _fill(store: FilesystemStore) -> None:
    for number in count():
        await store.put(f"fill/{number}", b"x" * 100_000)


@pytest.mark.privileged
async def test_a_full_disk_is_a_clear_error_and_leaves_nothing_half_done(small_disk: Path) -> None:
    store = await FilesystemStore.open(small_disk / "store")
    with pytest.raises(StoreUnavailable, match="the disk is full") as caught:
        await _fill(store)
    assert str(store.directory) in str(caught.value)
    assert list((small_disk / "store/.tmp").iterdir()) == []
    assert {info.size for info in await listed(store, "fill/")} == {100_000}
    await store.delete("fill/0")
    writes = (store.put(f"many/{n}", b"y" * (200_000 if n % 2 else 10)) for n in range(10))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(result, str) for result in results] == [n % 2 == 0 for n in range(10)]
    assert await listed_keys(store, "many/") == [f"many/{n}" for n in range(0, 10, 2)]
    await store.aclose()
