"""Pages in the store: shown by whoever finds them, never believed when they are damaged, gone when they are old."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.store import ObjectInfo
from amalthea.services.nbviewer.fetching.index import BLOBS, SEEN
from amalthea.services.nbviewer.press.packing import Packed, pack, pieces, unpack
from amalthea.services.nbviewer.press.shelf import BODIES, FRAMES, PAGES, Body, Page, decoded, encoded
from amalthea.services.nbviewer.press.sweeping import Keep, old
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.github_server import GitHub

HELLO = "/github/ada/notes/blob/main/hello.ipynb"
LIVE = "/github/ada/notes/blob/main/live.ipynb"


async def keys(store: MemoryStore, prefix: str) -> list[str]:
    return [found.key async for found in store.list(prefix)]


def article(page: str) -> str:
    """What is shown of the notebook itself."""
    found = re.search("<article.*</article>", page, re.DOTALL)
    assert found
    return found[0]


async def seen_and_settled(viewer: Nbviewer, *paths: str) -> None:
    for path in paths:
        assert (await viewer.get(path)).status_code == 200
    await viewer.cache.settle()
    await viewer.press.settle()


async def test_another_site_shows_what_one_has_rendered(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock, site="north") as north:
        await seen_and_settled(north, HELLO)
        first = await north.get(HELLO)
    async with nbviewer(github.settings(), store=store, clock=clock, site="south") as south:
        second = await south.get(HELLO)
        assert south.count("pages_total", origin="store") == 1
        assert south.count("pages_total", origin="rendered") == 0
    assert (second.text, second.headers["etag"]) == (first.text, first.headers["etag"])


async def test_a_source_that_is_down_costs_no_second_rendering(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock, site="north") as north:
        await seen_and_settled(north, HELLO)
    github.trouble = "down"
    clock.move(3600)
    async with nbviewer(github.settings(), store=store, clock=clock, site="south") as south:
        answer = await south.get(HELLO)
        assert south.count("pages_total", origin="rendered") == 0
        again = await south.get(HELLO, headers={"if-none-match": answer.headers["etag"]})
    assert "An older copy" in answer.text
    assert "Hello from main" in answer.text
    assert again.status_code == 304


async def test_a_page_without_trouble_has_no_note(viewer: Nbviewer) -> None:
    assert "An older copy" not in (await viewer.get(HELLO)).text


@pytest.mark.parametrize("damage", [b"", b"amalthea", b"\x00" * 200])
async def test_a_damaged_page_is_made_again_and_replaced(
    github: GitHub, store: MemoryStore, clock: Hand, damage: bytes
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
    (key,) = await keys(store, PAGES)
    whole = await store.get(key)
    await store.put(key, damage or whole[:-1])
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
        assert viewer.count("pages_total", origin="assembled") == 1
    assert await store.get(key) == whole


async def test_one_notebook_in_two_places_is_rendered_once(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    files = github.repositories["ada", "notes"].branches["main"]
    files["copy.ipynb"] = files["hello.ipynb"]
    copy = HELLO.replace("hello", "copy")
    async with nbviewer(github.settings(), store=store, clock=clock, site="north") as north:
        one, other = await asyncio.gather(north.get(HELLO), north.get(copy))
        assert north.count("pages_total", origin="rendered") == 1
        assert north.count("pages_total", origin="assembled") == 1
        await seen_and_settled(north, HELLO)
    assert "copy.ipynb" in other.text
    assert "copy.ipynb" not in one.text
    assert article(one.text) == article(other.text)
    files["third.ipynb"] = files["hello.ipynb"]
    async with nbviewer(github.settings(), store=store, clock=clock, site="south") as south:
        third = await south.get(HELLO.replace("hello", "third"))
        assert south.count("pages_total", origin="rendered") == 0
    assert article(third.text) == article(one.text)


async def test_a_notebook_with_pictures_beside_it_has_those_of_its_own_place(viewer: Nbviewer, github: GitHub) -> None:
    files = github.repositories["ada", "notes"].branches["main"]
    files["one/a.ipynb"] = files["two/a.ipynb"] = notebook("![](picture.png)")
    for place in ("one", "two", "one"):
        page = (await viewer.get(f"/github/ada/notes/blob/main/{place}/a.ipynb")).text
        assert f"/main/{place}/picture.png" in page
    assert viewer.count("pages_total", origin="rendered") == 2


async def test_a_body_that_is_damaged_is_rendered_again(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
    for key in (*await keys(store, BODIES), *await keys(store, PAGES)):
        await store.put(key, b"nonsense")
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
        assert viewer.count("pages_total", origin="rendered") == 1


async def test_what_is_on_this_machine_alone_is_not_written_to_the_store(
    github: GitHub, store: MemoryStore, clock: Hand, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("notebooks")
    directory.chmod(0o755)
    (directory / "mine.ipynb").write_bytes(notebook("# Mine"))
    settings = {**github.settings(), "local": str(directory), "local_any_user": True}
    async with nbviewer(settings, store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, "/localfile/mine.ipynb")
    assert await keys(store, "nbviewer/") == []


async def test_old_pages_are_swept_and_made_again(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({**github.settings(), "retention": "1 d"}, store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
        clock.now = datetime.now(UTC) + timedelta(days=2)
        assert await viewer.sweep.once() == 4
        assert await keys(store, "nbviewer/") == []
        await seen_and_settled(viewer, HELLO)
        assert viewer.count("pages_total", origin="rendered") == 2


def info(key: str, size: int) -> ObjectInfo:
    return ObjectInfo(key=key, size=size, etag="", modified=datetime(2026, 1, 1, tzinfo=UTC))


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50))), st.integers(0, 100), st.integers(0, 500))
def test_what_stays_is_young_fits_and_is_younger_than_what_goes(
    objects: list[tuple[int, int]], age: int, size: int
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    found = [(now - timedelta(seconds=old), info(str(n), bytes_)) for n, (old, bytes_) in enumerate(objects)]
    gone = set(old(found, Keep(age=timedelta(seconds=age), size=size), now=now))
    stays = [pair for pair in found if pair[1].key not in gone]
    assert sum(found.size for _, found in stays) <= size
    assert all(now - when <= timedelta(seconds=age) for when, _ in stays)


@given(st.binary(max_size=400))
def test_bytes_that_nobody_wrote_are_no_page(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decoded(body, Page)


@given(st.text(), st.integers(0, 10_000), st.integers(1, 255))
def test_a_page_with_one_byte_changed_is_no_page(text: str, where: int, change: int) -> None:
    body = bytearray(encoded(Page(etag='W/"a"', packed=pack(text))))
    assert decoded(bytes(body), Page).packed == pack(text)
    body[where % len(body)] ^= change
    with pytest.raises(msgspec.MsgspecError):
        decoded(bytes(body), Page)


def test_a_page_is_no_frame() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decoded(encoded(Page(etag="", packed=pack("x"))), Packed)


def test_a_frame_outlives_its_page() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    page, frame = (now, info(PAGES + "a", 10)), (now + timedelta(hours=1), info(FRAMES + "b", 10))
    assert old([frame, page], Keep(age=timedelta(days=1), size=15), now=now) == [PAGES + "a"]


HOSTILE = [
    {"media_type": "application/javascript"},
    {"media_type": "text/html\r\nset-cookie: a=b"},
    {"media_type": "text/html\n"},
    {"extension": '.py"; filename="a.exe'},
    {"made": datetime(2026, 3, 1)},
    {"packed": {"size": 2**60, "brotli": b"", "gzip": b""}},
    {"packed": {"size": -1, "brotli": b"", "gzip": b""}},
]


@pytest.mark.parametrize("lie", HOSTILE)
async def test_a_page_that_could_do_more_than_be_read_is_made_anew(
    github: GitHub, store: MemoryStore, clock: Hand, lie: dict[str, Any]
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
        (key,) = await keys(store, PAGES)
        page = msgspec.to_builtins(await shelved(store, key), builtin_types=(bytes, datetime))
    await store.put(key, sealed({**page, **lie}))
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        answer = await viewer.get(HELLO)
        assert viewer.count("pages_total", origin="store") == 0
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Hello from main" in answer.text


async def test_an_etag_is_not_taken_from_the_store(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
        (key,) = await keys(store, PAGES)
        page = await shelved(store, key)
    await store.put(key, encoded(msgspec.structs.replace(page, etag='"\r\nset-cookie: a=b')))
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        answer = await viewer.get(HELLO)
        assert viewer.count("pages_total", origin="store") == 1
    assert answer.headers["etag"] == page.etag
    assert "set-cookie" not in answer.headers


async def test_a_body_that_no_worker_wrote_costs_nobody_his_page(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
    for key in await keys(store, BODIES):
        await store.put(key, encoded(Body(body=b"nonsense", made=clock())))
    for key in await keys(store, PAGES):
        await store.delete(key)
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        assert "Hello from main" in (await viewer.get(HELLO)).text


async def test_a_frame_is_shown_only_with_the_hash_it_is_asked_for_by(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    right, wrong, bomb = pack("right"), pack("wrong"), pack("x" * 1_000_000)
    digest = hashlib.sha256(b"right").hexdigest()
    for packed, shown in (
        (right, True),
        (wrong, False),
        (msgspec.structs.replace(right, gzip=b"no gzip"), False),
        (msgspec.structs.replace(bomb, size=5), False),
    ):
        await store.put(FRAMES + digest, encoded(packed))
        async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
            assert (await viewer.press.frame(digest) is not None) == shown


def test_nothing_is_unpacked_to_more_than_it_says() -> None:
    bomb = msgspec.structs.replace(pack("x" * 1_000_000), size=10)
    assert len(unpack(bomb)) == len(b"".join(pieces(bomb))) == 10


@given(st.text(), st.integers(0, 30_000))
def test_pieces_make_the_whole(text: str, times: int) -> None:
    packed = pack(text * times)
    assert b"".join(pieces(packed)) == unpack(packed) == (text * times).encode(errors="replace")
    assert all(len(piece) <= 2**16 for piece in pieces(packed))


async def test_a_large_page_is_whole_for_those_who_take_no_encoding(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook(*["word " * 2000] * 150, "# The end")
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        plain = await viewer.get(HELLO, headers={"accept-encoding": "identity"})
        small = await viewer.get(HELLO, headers={"accept-encoding": "gzip"})
        assert "content-length" not in plain.headers
        assert plain.text == small.text
        assert "The end" in plain.text
        assert plain.headers["etag"] == small.headers["etag"]


async def test_bytes_with_another_hash_are_fetched_again_and_replaced(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
    (key,) = await keys(store, BLOBS)
    whole = await store.get(key)
    await store.put(key, notebook("# Another's"))
    for made in (*await keys(store, PAGES), *await keys(store, BODIES)):
        await store.delete(made)
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        answer = await viewer.get(HELLO)
        await viewer.cache.settle()
    assert "Hello from main" in answer.text
    assert await store.get(key) == whole


@pytest.mark.parametrize(
    "lie",
    [
        {"checked": "2999-01-01T00:00:00Z"},
        {"checked": "2026-03-01T09:00:00"},
        {"digest": "../../vault/secret"},
        {"digest": "A" * 64},
        {"digest": "a" * 64 + "\n"},
        {"etag": "a\r\nx: y"},
    ],
)
async def test_what_a_site_says_it_has_seen_is_not_believed_blindly(
    github: GitHub, store: MemoryStore, clock: Hand, lie: dict[str, str]
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        await seen_and_settled(viewer, HELLO)
    for key in await keys(store, SEEN):
        await store.put(key, msgspec.json.encode({**msgspec.json.decode(await store.get(key)), **lie}))
    github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook("# Newer")
    clock.move(3600)
    async with nbviewer(github.settings(), store=store, clock=clock) as viewer:
        answer = await viewer.get(HELLO)
        if "etag" in lie:
            assert answer.status_code == 200
            return
        clock.move(3600)
        assert "Newer" in (await viewer.get(HELLO)).text


async def shelved(store: MemoryStore, key: str) -> Page:
    return decoded(await store.get(key), Page)


def sealed(value: object) -> bytes:
    """Whatever it is, with the mark and the hash of a shelf."""
    body = msgspec.msgpack.encode(value)
    mark = encoded(pack("")).partition(b"\n")[0] + b"\n"
    return mark + hashlib.sha256(body).digest() + body
