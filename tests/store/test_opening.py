from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from amalthea.model.errors import StoreUnavailable, UsageError
from amalthea.store.filesystem import FilesystemStore
from amalthea.store.memory import MemoryStore
from amalthea.store.opening import open_store, open_stores
from amalthea.store.replicated import ReplicatedStore
from tests.contracts.store import listed_keys


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store",
        "/var/store",
        "file:relative",
        "file://host/path",
        "http://host/",
        "memory:x",
        "ftp://id:secret@host",
    ],
)
async def test_what_is_not_the_url_of_a_store_is_refused_without_telling_a_secret(url: str) -> None:
    with pytest.raises(UsageError, match="file:///ABSOLUTE/PATH") as caught:
        await open_store(url)
    assert "secret" not in str(caught.value)


async def test_urls_lead_to_stores(tmp_path: Path) -> None:
    assert isinstance(await open_store("memory:"), MemoryStore)
    store = await open_store((tmp_path / "a b").as_uri())
    assert isinstance(store, FilesystemStore)
    assert store.directory == tmp_path / "a b"
    await store.aclose()


@pytest.mark.parametrize("urls", [[], ["memory:", "memory:"]])
async def test_a_site_needs_different_stores(urls: Sequence[str]) -> None:
    with pytest.raises(UsageError):
        async with open_stores(urls):
            pass


async def test_one_url_gives_that_store_and_more_give_a_replicated_one(tmp_path: Path) -> None:
    north, south = (tmp_path / "north").as_uri(), (tmp_path / "south").as_uri()
    async with open_stores([north]) as store:
        await store.put("a", b"1")
        assert isinstance(store, FilesystemStore)
    async with open_stores([south, north]) as store:
        assert isinstance(store, ReplicatedStore)
        assert await store.get("a") == b"1"
        await store.put("b", b"2")
    async with open_stores([south]) as store:
        assert await listed_keys(store) == ["a", "b"]


async def test_a_directory_that_cannot_be_made_at_home_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home, other = (tmp_path / "file" / "home").as_uri(), (tmp_path / "other").as_uri()
    with pytest.raises(StoreUnavailable, match="file/home"):
        async with open_stores([home, other]):
            pass


async def test_another_sites_store_may_be_away_at_the_start_and_come_back(tmp_path: Path) -> None:
    blocker = tmp_path / "far"
    blocker.write_text("in the way")
    home, far = (tmp_path / "home").as_uri(), (blocker / "store").as_uri()
    async with open_stores([home]) as store:
        await store.put("a", b"1")
    async with open_stores([home, far], limit=0.5) as store:
        assert await store.get("a") == b"1"
        assert await listed_keys(store) == ["a"]
        with pytest.raises(StoreUnavailable, match="far"):
            await store.put("b", b"2")
    blocker.unlink()
    async with open_stores([far, home]) as store:
        await store.put("c", b"3")
        assert await listed_keys(store) == ["a", "b", "c"]
