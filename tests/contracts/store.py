"""What every store promises. A suite inherits `StoreContract` and gives a `store` fixture: empty, and its own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import strategies as st

from amalthea.model.errors import InvalidKey, ObjectExists, ObjectMissing
from amalthea.model.store import ObjectInfo, ObjectStore

INVALID_KEYS = (
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    ".hidden",
    "a/.tmp",
    "a\\b",
    "a\0b",
    "a\nb",
    "\x7f",
    "\ud800",
    "a" * 201,
    "/".join(["a" * 199] * 3),
)

UNUSUAL_KEYS = (
    "a b",
    "a%2Fb",
    "a%20b",
    "a#b?c&d=e",
    "a+b~c*d",
    "{a}[b]|<c>^`d`\"e\"'f'",
    "ключ/鍵/🔑",
    "e\u0301",
    "\u00e9",
    "conf.d",
    "conf.d/default.o",
    "conf.d.o",
    "conf.o",
    "-",
    "~",
    "a..",
    "COM1:",
    "x" * 200 + "/" + "é" * 100,
)

_characters = st.sampled_from("aAb0-._~ /%é鍵🔑")
keys = (
    st.text(_characters, min_size=1, max_size=12)
    .map(lambda text: "/".join(part.lstrip(".") for part in text.split("/") if part.lstrip(".")))
    .filter(bool)
)
"""Keys that every store takes, from characters that sort, escape or encode in unlike ways."""


async def listed(store: ObjectStore, prefix: str = "", *, after: str = "") -> list[ObjectInfo]:
    """A whole listing."""
    return [info async for info in store.list(prefix, after=after)]


async def listed_keys(store: ObjectStore, prefix: str = "", *, after: str = "") -> list[str]:
    """The keys of a whole listing."""
    return [info.key for info in await listed(store, prefix, after=after)]


class StoreContract:
    async def test_what_was_put_is_what_one_gets(self, store: ObjectStore) -> None:
        await store.put("a/b", b"body")
        assert await store.get("a/b") == b"body"

    async def test_an_object_may_be_empty(self, store: ObjectStore) -> None:
        await store.put("empty", b"")
        assert await store.get("empty") == b""
        assert [info.size for info in await listed(store)] == [0]

    async def test_an_object_may_have_a_mebibyte(self, store: ObjectStore) -> None:
        body = bytes(range(256)) * 4096
        await store.put("large", body)
        assert await store.get("large") == body

    async def test_a_second_put_replaces_the_object_and_its_etag(self, store: ObjectStore) -> None:
        first = await store.put("a", b"one")
        before = await listed(store)
        second = await store.put("a", b"two")
        after = await listed(store)
        assert await store.get("a") == b"two"
        assert first != second
        assert [i.etag for i in before] == [first]
        assert [i.etag for i in after] == [second]

    async def test_what_was_never_put_is_missing(self, store: ObjectStore) -> None:
        await store.put("a/b", b"")
        for key in ("b", "a", "a/b/c", "a/bb"):
            with pytest.raises(ObjectMissing):
                await store.get(key)

    async def test_what_was_deleted_is_missing(self, store: ObjectStore) -> None:
        await store.put("a", b"")
        await store.delete("a")
        with pytest.raises(ObjectMissing):
            await store.get("a")
        assert await listed_keys(store) == []

    async def test_deleting_what_is_not_there_is_no_error(self, store: ObjectStore) -> None:
        await store.delete("never")
        await store.delete("never/ever")

    async def test_what_was_deleted_can_be_put_again(self, store: ObjectStore) -> None:
        await store.put("a", b"one", if_absent=True)
        await store.delete("a")
        await store.put("a", b"two", if_absent=True)
        assert await store.get("a") == b"two"

    async def test_if_absent_refuses_to_replace(self, store: ObjectStore) -> None:
        await store.put("a", b"one", if_absent=True)
        with pytest.raises(ObjectExists):
            await store.put("a", b"two", if_absent=True)
        assert await store.get("a") == b"one"

    async def test_of_many_writers_with_if_absent_one_wins(self, store: ObjectStore) -> None:
        async def write(number: int) -> int | None:
            try:
                await store.put("contended", str(number).encode(), if_absent=True)
            except ObjectExists:
                return None
            return number

        winners = [n for n in await asyncio.gather(*(write(n) for n in range(16))) if n is not None]
        assert len(winners) == 1
        assert await store.get("contended") == str(winners[0]).encode()

    async def test_many_writers_at_once_lose_nothing(self, store: ObjectStore) -> None:
        bodies = {f"many/{n % 7}/{n}": b"%d" % n for n in range(64)}
        await asyncio.gather(*(store.put(key, body) for key, body in bodies.items()))
        got = await asyncio.gather(*(store.get(key) for key in bodies))
        assert dict(zip(bodies, got, strict=True)) == bodies

    async def test_writes_of_one_task_happen_in_order(self, store: ObjectStore) -> None:
        for number in range(5):
            await store.put("a", b"%d" % number)
        await store.delete("a")
        await store.put("a", b"last")
        assert await store.get("a") == b"last"

    async def test_a_key_may_go_on_where_another_ends(self, store: ObjectStore) -> None:
        for key in ("a/b/c", "a", "a/b"):
            await store.put(key, key.encode())
        assert await listed_keys(store) == ["a", "a/b", "a/b/c"]
        await store.delete("a/b")
        assert await store.get("a") == b"a"
        assert await store.get("a/b/c") == b"a/b/c"

    async def test_listings_are_ordered_by_code_point_over_the_whole_key(self, store: ObjectStore) -> None:
        names = {"a", "a/b", "a-b", "a0", "a.b", "a/b/c", "a/b-c", "a b", "A", "é", "z", "\uffee", "🔑", "a/é"}
        for key in names:
            await store.put(key, b"")
        assert await listed_keys(store) == sorted(names)

    async def test_a_listing_tells_size_and_time(self, store: ObjectStore) -> None:
        await store.put("a", b"12345")
        (info,) = await listed(store)
        assert info.size == 5
        assert info.modified.utcoffset() is not None

    async def test_a_prefix_is_text_and_need_not_end_at_a_slash(self, store: ObjectStore) -> None:
        for key in ("log/1", "log/10", "log/2", "log", "logs/1", "lo"):
            await store.put(key, b"")
        assert await listed_keys(store, "log/1") == ["log/1", "log/10"]
        assert await listed_keys(store, "log") == ["log", "log/1", "log/10", "log/2", "logs/1"]
        assert await listed_keys(store, "log/") == ["log/1", "log/10", "log/2"]
        assert await listed_keys(store, "none/") == []

    @pytest.mark.parametrize(
        "prefix", ["..", "../", "/", "//", ".tmp/", "a\0", "a\0/b", "\ud800/", "\\", "b" * 300 + "/"]
    )
    async def test_a_prefix_that_no_key_has_lists_nothing(self, store: ObjectStore, prefix: str) -> None:
        await store.put("a", b"")
        assert await listed_keys(store, prefix) == []

    async def test_a_listing_resumes_behind_any_key(self, store: ObjectStore) -> None:
        names = sorted(["a", "a/1", "a/1/x", "a-", "b/1", "b/2", "b0", "c"])
        for key in names:
            await store.put(key, b"")
        for number, key in enumerate(names):
            assert await listed_keys(store, after=key) == names[number + 1 :]
        assert await listed_keys(store, "b", after="b/1") == ["b/2", "b0"]
        assert await listed_keys(store, "a", after="b") == []
        assert await listed_keys(store, "b", after="a") == ["b/1", "b/2", "b0"]
        assert await listed_keys(store, after="a/1/nothing") == ["a/1/x", "b/1", "b/2", "b0", "c"]

    @pytest.mark.parametrize("key", INVALID_KEYS, ids=ascii)
    async def test_a_key_that_no_store_takes_is_refused(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(InvalidKey):
            await store.put(key, b"")
        with pytest.raises(InvalidKey):
            await store.get(key)
        with pytest.raises(InvalidKey):
            await store.delete(key)

    async def test_unusual_keys_are_kept_apart(self, store: ObjectStore) -> None:
        for key in UNUSUAL_KEYS:
            await store.put(key, key.encode())
        assert await listed_keys(store) == sorted(UNUSUAL_KEYS)
        for key in UNUSUAL_KEYS:
            assert await store.get(key) == key.encode()
