"""What another site may put where a manifest should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.units import ByteSize
from amalthea.services.tmpnb.work.blobs import hashed
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.errors import BadSnapshot
from amalthea.services.tmpnb.work.keys import Name, blob_key, snapshot_key
from amalthea.services.tmpnb.work.snapshot import SavedFile, Snapshot, read, written
from amalthea.services.tmpnb.work.ulid import moment
from amalthea.services.tmpnb.work.why import Why
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import HeldClock, whole, work_at

NAME = Name("01ARZ3NDEK" + "0" * 16, "south")
HELLO = hashed(b"hello")


def manifest(*paths: str, **others: Any) -> bytes:
    """A manifest whose files all hold `hello`; `others` are its other fields."""
    files = [{"path": path, "size": 5, "sha256": HELLO} for path in paths]
    fields = {"session": "s", "site": NAME.site, "ulid": NAME.ulid, "made": moment(NAME.ulid).isoformat()}
    return json.dumps({**fields, "files": files, **others}).encode()


def saved(path: str, body: bytes, **others: Any) -> SavedFile:
    return SavedFile(**{"path": path, "size": len(body), "sha256": hashed(body), **others})


def snapshot_of(*files: SavedFile) -> Snapshot:
    return Snapshot(session="s", site=NAME.site, ulid=NAME.ulid, made=moment(NAME.ulid), files=files)


def read_it(body: bytes) -> Snapshot:
    return read(body, session="s", name=NAME)


def test_a_manifest_is_read_as_it_was_written() -> None:
    snapshot = snapshot_of(saved("a", b"1"), saved("b/c", b"2", executable=True))
    assert read_it(written(snapshot)) == snapshot
    assert read_it(manifest("a", "b")).size == 10


@pytest.mark.parametrize(
    "body",
    [
        *(manifest(path) for path in ("../x", "/etc/passwd", "a/../../b", "", ".", "a\0", "..\\x", "C:x", "a/" * 99)),
        manifest("a", "a"),
        manifest("b", "a"),
        manifest("link", "link/file"),
        manifest(files=[{"path": "a", "size": -1, "sha256": HELLO}]),
        manifest(files=[{"path": "a", "size": 2**60, "sha256": HELLO}]),
        manifest(files=[{"path": "a", "size": 5, "sha256": "../" + HELLO[3:]}]),
        manifest(files=[{"path": "a", "size": 5, "sha256": HELLO + "\n"}]),
        manifest(*(f"{n:06}" for n in range(10_001))),
        manifest(facts={"a": "x" * 5000}),
        manifest(facts={str(n): "" for n in range(33)}),
        manifest(session="t"),
        manifest(site="north"),
        manifest(ulid="01ARZ3NDEK" + "1" * 16),
        manifest(made="2000-01-01T00:00:00Z"),
        manifest(made="2000-01-01T00:00:00"),
        manifest(version=2),
        b"",
        b"null",
        b'{"session":"s"}',
        b'{"session":"\xff"}',
        b'{"x":' + b"[" * 100_000,
    ],
    ids=range(30),
)
def test_what_no_site_of_ours_would_write_is_no_manifest(body: bytes) -> None:
    with pytest.raises(BadSnapshot, match=r"s/01ARZ3NDEK0{16}-south"):
        read_it(body)


@given(st.binary(max_size=300) | st.integers(0, 10_000).map(lambda seed: _mutilated(manifest("a", "b/c"), seed)))
def test_any_bytes_are_a_manifest_or_a_bad_one(body: bytes) -> None:
    try:
        snapshot = read_it(body)
    except BadSnapshot:
        return
    assert snapshot.name == NAME


def _mutilated(body: bytes, seed: int) -> bytes:
    at = seed % len(body)
    return body[:at] + bytes([seed % 251]) + body[at + seed % 3 :]


@pytest.mark.parametrize("facts", [{"token": "x" * 4097}, {"\ud800": ""}])
def test_facts_that_could_not_be_read_again_are_not_written(facts: dict[str, str]) -> None:
    with pytest.raises(BadSnapshot):
        written(Snapshot(session="s", site=NAME.site, ulid=NAME.ulid, made=moment(NAME.ulid), facts=facts))


async def test_a_bad_manifest_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    store, clock = MemoryStore(), HeldClock()
    north, home = work_at(store, clock), Directory(tmp_path)
    home.fill({"a": (b"mine", False)})
    good = await north.snapshot("s", home)
    bad = Name("0" + "Z" * 25, "south")
    assert moment(bad.ulid) > clock.now
    await store.put(snapshot_key("s", bad), manifest("../../x", ulid=bad.ulid, made=moment(bad.ulid).isoformat()))
    assert await north.newest("s") == good


async def test_a_manifest_of_a_time_to_come_does_not_hide_what_is_written_now(tmp_path: Path) -> None:
    store, clock = MemoryStore(), HeldClock()
    north, home = work_at(store, clock), Directory(tmp_path)
    future = Name("0" + "Z" * 25, "south")
    await store.put(snapshot_key("s", future), manifest("a", ulid=future.ulid, made=moment(future.ulid).isoformat()))
    assert (await north.newest("s") or snapshot_of()).name == future
    home.fill({"a": (b"mine", False)})
    mine = await north.snapshot("s", home)
    assert mine is not None
    assert mine.made == clock.now
    assert await north.newest("s") == mine


LIES = {
    Why.MISSING: saved("missing", b"never put"),
    Why.DAMAGED: saved("wrong", b"hello"),
    Why.LARGE: saved("large", b"x", size=2**39),
}


async def hostile_store() -> MemoryStore:
    """Blobs that are not what they are called."""
    store = MemoryStore()
    await store.put(blob_key("s", hashed(b"hello")), brotli.compress(b"other"))
    await store.put(blob_key("s", hashed(b"bomb!")), brotli.compress(b"\0" * 50_000_000, quality=3))
    await store.put(blob_key("s", hashed(b"no pack")), b"no pack")
    await store.put(blob_key("s", hashed(b"big")), b"x" * 10_000_000)
    await store.put(blob_key("s", hashed(b"short")), brotli.compress(b"shor"))
    await store.put(blob_key("s", hashed(b"good")), brotli.compress(b"good"))
    return store


FILES = [
    *(saved(path, body) for path, body in [("bomb", b"bomb!"), ("good", b"good"), ("packed", b"no pack")]),
    *(saved(path, body) for path, body in [("short", b"short"), ("toobig", b"big")]),
    *LIES.values(),
]


async def test_bytes_that_are_not_those_of_the_manifest_are_lost_and_told(tmp_path: Path) -> None:
    work, home = work_at(await hostile_store(), HeldClock()), Directory(tmp_path)
    snapshot = snapshot_of(*sorted(FILES, key=lambda file: file.path))
    result = await work.restore(snapshot, home)
    assert home.tree() == {"good": (b"good", False)}
    damaged = {"bomb", "packed", "short", "toobig", "wrong"}
    assert {(lost.path, lost.why) for lost in result.lost} == {
        *((path, Why.DAMAGED) for path in damaged),
        ("missing", Why.MISSING),
        ("large", Why.LARGE),
    }
    archive = await whole(work.archive(snapshot))
    assert b"PK" in archive


async def test_a_manifest_of_more_than_any_session_has_is_restored_up_to_that(tmp_path: Path) -> None:
    store, home = MemoryStore(), Directory(tmp_path)
    await store.put(blob_key("s", hashed(b"12345678")), brotli.compress(b"12345678"))
    snapshot = snapshot_of(*(saved(f"{n:03}", b"12345678") for n in range(100)))
    work = work_at(store, HeldClock(), bounds=Bounds(total=ByteSize(80)))
    result = await work.restore(snapshot, home)
    assert (result.files, result.size) == (20, 160)
    assert {lost.why for lost in result.lost} == {Why.ROOM}
    assert len(result.lost) == 80
