from __future__ import annotations

import asyncio
import hashlib
import io
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given, settings

from amalthea.model.errors import StoreUnavailable
from amalthea.model.units import ByteSize, Duration
from amalthea.services.tmpnb.work.blobs import hashed
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.keys import blob_key
from amalthea.services.tmpnb.work.zipping import NOTE, Entry, zipped
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory, Tree
from tests.services.tmpnb.work.scenes import TREES, HeldClock, unpacked, whole, work_at
from tests.store.faulty import FaultyStore, Mood


@given(tree=TREES)
@settings(max_examples=25, deadline=None)
async def test_an_archive_holds_what_the_snapshot_holds_and_what_the_home_held(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as place:
        work, home = work_at(MemoryStore(), HeldClock()), Directory(Path(place))
        home.fill(tree)
        snapshot = await work.snapshot("s", home)
        assert snapshot is not None
        archive = await whole(work.archive(snapshot))
        assert unpacked(archive) == unpacked(await whole(work.archive_home(home))) == tree
        assert await whole(work.archive(snapshot)) == archive


async def test_unzip_finds_nothing_wrong_and_keeps_names_and_modes(tmp_path: Path) -> None:
    if shutil.which("unzip") is None:
        pytest.skip("there is no unzip on this machine")
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path / "home")
    names = {"über/数据.txt": b"text" * 9999, "random": os.urandom(99_999), "run.sh": b"#!"}
    home.fill({path: (body, path == "run.sh") for path, body in names.items()})
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    (tmp_path / "work.zip").write_bytes(await whole(work.archive(snapshot)))
    for options in (["-t"], ["-q", "-d", str(tmp_path / "out")]):
        done = subprocess.run(  # noqa: ASYNC221
            ["unzip", *options[:1], str(tmp_path / "work.zip"), *options[1:]],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert Directory(tmp_path / "out").tree() == home.tree()


async def test_what_a_link_in_an_archive_would_be_is_a_plain_file(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path / "home")
    home.fill({"a": (b"/etc/passwd", True)})
    (home.root / "link").symlink_to("/etc/passwd")
    with ZipFile(io.BytesIO(await whole(work.archive_home(home)))) as archive:
        assert archive.namelist() == ["a"]
        assert all(stat.S_ISREG(info.external_attr >> 16) for info in archive.infolist())


async def test_dates_are_those_of_the_files_and_of_the_snapshot(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path)
    home.fill({"a": (b"1", False), "old": (b"2", False)})
    when = datetime(2026, 5, 17, 12, 30, 20, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "a", (when, when))
    os.utime(tmp_path / "old", (0, 0))
    with ZipFile(io.BytesIO(await whole(work.archive_home(home)))) as archive:
        assert [info.date_time[:4] for info in archive.infolist()] == [(2026, 5, 17, 12), (1980, 1, 1, 0)]
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    with ZipFile(io.BytesIO(await whole(work.archive(snapshot)))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2050, 1, 1, 0, 0, 0)}


async def test_what_is_not_in_an_archive_is_told_in_it(tmp_path: Path) -> None:
    store = MemoryStore()
    work, home = work_at(store, HeldClock(), bounds=Bounds(file=ByteSize(10))), Directory(tmp_path)
    home.fill({"a": (b"1", False), "large": (b"x" * 11, False), NOTE: (b"mine", False), ".cache/x": (b"", False)})
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    await store.delete(blob_key("s", hashed(b"1")))
    tree = unpacked(await whole(work.archive(snapshot)))
    assert tree.keys() == {NOTE, f"_{NOTE}"}
    assert tree[NOTE] == (b"mine", False)
    told = b"These files are not in this archive:\r\n\r\nlarge is too large\r\n"
    assert tree[f"_{NOTE}"][0] == told + b"a is no longer kept\r\n"
    assert unpacked(await whole(work.archive_home(home)))[f"_{NOTE}"][0] == told


async def test_an_archive_breaks_off_when_the_store_goes_away(tmp_path: Path) -> None:
    store, bounds = FaultyStore(MemoryStore()), Bounds(call=Duration(0.05))
    work, home = work_at(store, HeldClock(), bounds=bounds), Directory(tmp_path)
    home.fill({f"{n}": (os.urandom(100_000), False) for n in range(9)})
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    pieces = work.archive(snapshot)
    assert (await anext(pieces)).startswith(b"PK")
    store.mood = Mood.HANGING
    with pytest.raises(StoreUnavailable):
        await whole(pieces)
    with pytest.raises(StoreUnavailable):
        await anext(work.archive(snapshot))


async def test_a_visitor_who_goes_away_leaves_nothing_behind(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path)
    home.fill({f"{n}": (os.urandom(600_000), False) for n in range(3)})
    pieces = work.archive_home(home)
    assert len(await anext(pieces)) == 2**18
    await pieces.aclose()
    assert len(home.asked) == 1


async def test_an_archive_that_is_cancelled_while_it_packs_ends_as_cancelled(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path)
    home.fill({"a": (b"text" * 2_000_000, False)})
    packing = asyncio.create_task(whole(work.archive_home(home)))
    while not home.asked:
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    packing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await packing


@pytest.mark.slow
async def test_more_files_than_the_old_format_counts() -> None:
    many = 2**16 + 1

    async def entries() -> AsyncIterator[Entry]:
        for n in range(many):
            yield Entry(path=f"{n}", body=b"", executable=False, modified=datetime(2026, 1, 1, tzinfo=UTC))

    with ZipFile(io.BytesIO(await whole(zipped(entries(), [])))) as archive:
        assert len(archive.infolist()) == many


@pytest.mark.slow
async def test_more_bytes_than_the_old_format_counts(tmp_path: Path) -> None:
    """Over 4 GiB of bytes that do not pack; `unzip` goes all the way to its last file."""
    body = os.urandom(2**25)

    async def entries() -> AsyncIterator[Entry]:
        for n in range(129):
            yield Entry(path=f"{n}", body=body, executable=False, modified=datetime(2026, 1, 1, tzinfo=UTC))

    with (tmp_path / "large.zip").open("wb") as file:
        async for piece in zipped(entries(), []):
            file.write(piece)
    with ZipFile(tmp_path / "large.zip") as archive:
        last = archive.infolist()[-1]
        assert last.header_offset > 2**32
        assert hashlib.sha256(archive.read(last)).digest() == hashlib.sha256(body).digest()
    (tmp_path / "large.zip").unlink()
