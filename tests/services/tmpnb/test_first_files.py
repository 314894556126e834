"""The files that a session begins with: of a repository, of a directory, and of strangers."""

from __future__ import annotations

import asyncio
import io
import struct
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.tmpnb.errors import BadRepository
from amalthea.services.tmpnb.settings import Settings
from amalthea.services.tmpnb.starting.repositories import archive_url
from amalthea.services.tmpnb.starting.unpacking import unpacked
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.archives import TOP, Forge, archive, link, of_entries, running
from tests.services.tmpnb.site import Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

FILES = {"index.ipynb": b"{}", "data/a b.csv": b"1,2", "run.sh": b"#!", "empty": b""}
NOTES = {"path": "/v2/gh/ada/notes/main"}


@pytest.fixture
async def forge() -> AsyncIterator[Forge]:
    async with running() as made:
        made.archives["/ada/notes/zip/main"] = archive(FILES, executable=("run.sh",))
        yield made


@pytest.fixture
async def site(place: Path, store: MemoryStore, clock: HeldClock, forge: Forge) -> AsyncIterator[Site]:
    settings: dict[str, Any] = {"pool": 0, "archive_limit": "1 MiB", "disk": "2 MiB", "files": 50}
    urls: dict[str, Any] = {"github_url": forge.url, "gitlab_url": forge.url}
    async with tmpnb(place, store=store, clock=clock, **urls, **settings) as made:
        yield made


async def files(site: Site, session: Found) -> dict[str, bytes]:
    home = site.spawner.home(session.name)
    return {file.path: await home.read(file.path, most=1 << 20) for file in await home.scan()}


async def test_a_session_begins_with_the_files_of_a_repository(site: Site) -> None:
    session = await site.start(data=NOTES)
    assert await files(site, session) == FILES
    scan = await site.spawner.home(session.name).scan()
    assert [file.path for file in scan if file.executable] == ["run.sh"]


async def test_archives_of_every_forge_are_found(site: Site, forge: Forge) -> None:
    body = archive({"a": b"1"})
    forge.archives |= {
        "/gist/0a1b/zip/HEAD": body,
        "/group/sub/project/-/archive/feature%2Fa/project-feature-a.zip": body,
    }
    for path in ("/v2/gist/ada/0a1b", "/v2/gl/group%2Fsub%2Fproject/feature/a"):
        session = await site.start(site.browser(), data={"path": path})
        assert await files(site, session) == {"a": b"1"}


async def test_a_class_that_starts_together_fetches_an_archive_once_and_later_ones_anew(
    site: Site, forge: Forge, clock: HeldClock
) -> None:
    forge.gate.clear()
    clicks = [asyncio.create_task(site.click(site.browser(), data=NOTES)) for _ in range(5)]
    await eventually(lambda: site.spawner.started == 5)
    forge.gate.set()
    assert {(await click).status_code for click in clicks} == {303}
    await site.start(site.browser(), data=NOTES)
    assert len(forge.asked) == 1
    clock.forward(61)
    forge.archives["/ada/notes/zip/main"] = archive({"new": b""})
    await eventually(lambda: len(list(site.sessions)) == 6)
    assert await files(site, await site.start(site.browser(), data=NOTES)) == {"new": b""}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (404, "no such repository"),
        (410, "no such repository"),
        (403, "HTTP 403"),
        (429, "HTTP 429"),
        (500, "HTTP 500"),
        (302, "HTTP 302"),
        (0, "larger than the 1 MiB"),
        (b"no archive", "damaged"),
        (b"", "damaged"),
    ],
)
async def test_what_a_forge_does_not_hand_out_is_a_page_that_says_so_and_no_session(
    site: Site, forge: Forge, answer: int | bytes, says: str
) -> None:
    forge.archives["/ada/notes/zip/main"] = answer
    page = await site.click(data=NOTES)
    assert (page.status_code, says in page.text) == (400, True), page.text
    await eventually(lambda: not site.spawner.sessions)
    assert not list(site.sessions)
    api = await site.post("/api/spawn", json=NOTES)
    assert (api.status_code, api.json()["status"]) == (400, "refused")


async def test_a_forge_that_is_away_is_a_page_that_says_so(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, github_url="http://127.0.0.1:1") as site:
        page = await site.click(data=NOTES)
    assert (page.status_code, "does not answer" in page.text) == (400, True)


@pytest.mark.parametrize(
    "name",
    [
        "gh/ada", "gh/ada/..", "gh/../notes/main", "gh/./notes", "gh/a/b/../../x", "gh/a b/c/d", "gh/ada/notes/a?b",
        "gl/project/main", "gl/..%2F..%2Fapi/main", "gl/a%2F..%2Fb/main", "gl/a/../b/main", "gl/a%2F%2Fb/main",
        "gist/a", "xx/a/b/c", "", "gh/ada/notes/" + "x" * 300, "gh/a\n/b/c", "gh/a/b/c\n", "gh/ada/notes/main#x",
        "gl/a%2f../m",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_at_the_forge_is_refused(name: str) -> None:
    with pytest.raises(BadRepository):
        archive_url(name, Settings())


@given(
    st.text(max_size=40).map("gh/ada/notes/{}".format)
    | st.text(max_size=40)
    | st.text(max_size=30).map("gl/a/{}".format)
)
def test_what_is_fetched_is_always_an_archive_of_that_forge(name: str) -> None:
    try:
        url = archive_url(name, Settings())
    except BadRepository:
        return
    assert url.startswith(("https://codeload.github.com/", "https://gitlab.com/"))
    assert not {".", ".."} & set(url.split("/"))
    assert url.isascii()
    assert "?" not in url
    assert "#" not in url


def names(body: bytes, *, most: int = 50, size: int = 1 << 20) -> dict[str, bytes]:
    return {file.path: file.body for file in unpacked(body, files=most, size=size)}


def test_nothing_of_an_archive_leads_out_of_the_home() -> None:
    body = of_entries(
        (f"{TOP}good", b"1"),
        (f"{TOP}../evil", b""),
        ("../../evil", b""),
        ("/etc/evil", b""),
        (f"{TOP}a/../../../evil", b""),
        ("top-level-file", b""),
        (f"{TOP}{'x' * 300}", b""),
        (TOP + "/".join("d" * 40), b""),
        (f"{TOP}directory/", b""),
        link("link", "/etc/passwd"),
        link("far", ".."),
        (f"{TOP}far/evil", b"2"),
    )
    assert names(body) == {"good": b"1", "far/evil": b"2"}


def test_a_bomb_is_not_unpacked() -> None:
    body = archive({"bomb": bytes(50 << 20)})
    assert len(body) < 100_000
    tracemalloc.start()
    with pytest.raises(BadRepository, match="larger"):
        names(body, size=1 << 20)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_many_small_files_are_together_as_large_as_they_are() -> None:
    with pytest.raises(BadRepository, match="larger"):
        names(archive({str(number): bytes(1000) for number in range(20)}), size=19_999)
    assert len(names(archive({str(number): bytes(1000) for number in range(20)}), size=20_000)) == 20


def test_too_many_files_are_refused() -> None:
    with pytest.raises(BadRepository, match="51 files"):
        names(archive({str(number): b"" for number in range(51)}))


def test_so_many_files_that_their_list_alone_fills_the_memory_are_refused_before_it_is_read() -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    count = 200_000
    directory = entry * count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count % 65536, count % 65536, len(directory), 0, 0)
    body = directory + end
    tracemalloc.start()
    with pytest.raises(BadRepository):
        names(body)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def damaged(body: bytes, at: int, value: int) -> bytes:
    return body[:at] + bytes([value]) + body[at + 1 :]


def test_a_damaged_archive_is_refused_and_nothing_else_happens() -> None:
    body = archive({"a": b"some text that is long enough to be compressed " * 20, "b": b"more"})
    for at in range(len(body)):
        for value in (0, 0xFF, body[at] ^ 0x40):
            with suppress(BadRepository):
                names(damaged(body, at, value))


@given(st.binary(max_size=200))
def test_no_bytes_are_an_archive_that_breaks_anything(body: bytes) -> None:
    with pytest.raises(BadRepository):
        names(body)


def test_an_archive_that_is_packed_in_an_uncommon_way_is_refused() -> None:
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as opened:
            opened.writestr(f"{TOP}a", b"x" * 1000)
        with pytest.raises(BadRepository):
            names(buffer.getvalue())


async def test_a_session_begins_with_a_directory_of_the_machine_but_for_what_is_hidden(
    place: Path, store: MemoryStore, clock: HeldClock, tmp_path: Path
) -> None:
    welcome = tmp_path / "welcome"
    (welcome / "deep").mkdir(parents=True)
    (welcome / ".git").mkdir()
    for path in ("index.ipynb", "deep/a.py", ".hidden", ".git/config"):
        (welcome / path).write_text(path)
    (welcome / "deep" / "a.py").chmod(0o755)
    (welcome / "broken").symlink_to("nowhere")
    offers = [{"title": "Welcome", "directory": str(welcome)}]
    async with tmpnb(place, store=store, clock=clock, offers=offers, pool=1) as site:
        await eventually(lambda: site.pool.idle == 1)
        session = await site.start()
        assert await files(site, session) == {"index.ipynb": b"index.ipynb", "deep/a.py": b"deep/a.py"}
        assert site.count("starts_total", how="pool") == 1


async def test_a_directory_that_is_not_there_or_cannot_be_read_is_a_page_that_says_so(
    place: Path, store: MemoryStore, clock: HeldClock, tmp_path: Path
) -> None:
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / "fifo").mkdir()
    offers = [{"title": "Gone", "directory": str(tmp_path / "gone")}]
    async with tmpnb(place, store=store, clock=clock, offers=offers, pool=0) as site:
        page = await site.click()
        assert (page.status_code, "is not there" in page.text) == (400, True)
        assert str(tmp_path) not in page.text
        await eventually(lambda: not site.spawner.sessions)


async def test_files_that_do_not_fit_into_the_home_are_a_page_that_says_so(site: Site, forge: Forge) -> None:
    forge.archives["/ada/notes/zip/main"] = archive({"a": b"file", "a/b": b"below a file"})
    page = await site.click(data=NOTES)
    assert page.status_code in (400, 503)
    await eventually(lambda: not site.spawner.sessions)
    assert site.admission.free == 20
