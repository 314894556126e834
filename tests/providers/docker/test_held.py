"""Files through a descriptor of their directory, in a tree that a stranger made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.providers.docker.held import HeldHome


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def files(home: Path) -> HeldHome:
    return HeldHome(lambda: _opened(home))


def _opened(home: Path) -> int:
    return os.open(home, os.O_PATH)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    made = tmp_path / "secret"
    made.mkdir()
    (made / "key").write_text("of the host")
    return made


async def test_what_was_written_is_listed_and_read(files: HeldHome, home: Path) -> None:
    await files.write("b/run.sh", b"echo", executable=True)
    await files.write("a.txt", b"hello")
    listed = await files.scan()
    assert [(one.path, one.size, one.executable) for one in listed] == [("a.txt", 5, False), ("b/run.sh", 4, True)]
    assert listed[0].modified == (home / "a.txt").stat().st_mtime_ns
    assert await files.read("a.txt", most=5) == b"hello"


async def test_links_are_as_good_as_absent(files: HeldHome, home: Path, secret: Path) -> None:
    (home / "file").symlink_to(secret / "key")
    (home / "directory").symlink_to(secret)
    assert await files.scan() == []
    for path in ("file", "directory/key"):
        with pytest.raises(ProviderError):
            await files.read(path, most=100)


async def test_what_is_neither_file_nor_directory_is_not_waited_for(files: HeldHome, home: Path) -> None:
    os.mkfifo(home / "pipe")
    assert await files.scan() == []
    with pytest.raises(ProviderError):
        await files.read("pipe", most=100)


async def test_a_written_file_replaces_a_link_and_follows_none(files: HeldHome, home: Path, secret: Path) -> None:
    (home / "file").symlink_to(secret / "key")
    (home / "directory").symlink_to(secret)
    await files.write("file", b"mine")
    with pytest.raises(ProviderError):
        await files.write("directory/key", b"mine")
    assert (secret / "key").read_text() == "of the host"
    assert await files.read("file", most=10) == b"mine"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../secret/key", "a//b", "a/./b", "a/", "a\0b"])
async def test_a_path_that_leads_elsewhere_is_refused(files: HeldHome, path: str) -> None:
    with pytest.raises(ProviderError):
        await files.read(path, most=10)
    with pytest.raises(ProviderError):
        await files.write(path, b"")


async def test_a_file_longer_than_asked_for_is_an_error(files: HeldHome) -> None:
    await files.write("long", b"12345")
    with pytest.raises(ProviderError, match="more than 4 bytes"):
        await files.read("long", most=4)


async def test_names_that_are_no_text_and_trees_without_end_are_passed_over(files: HeldHome, home: Path) -> None:
    os.close(os.open(os.fsencode(home) + b"/\xff", os.O_CREAT))
    deep = "/".join("d" * 100)
    (home / deep).mkdir(parents=True)
    (home / deep / "file").write_text("")
    (home / "d" / "near").write_text("")
    assert [one.path for one in await files.scan()] == ["d/near"]


async def test_a_file_that_cannot_be_put_in_place_leaves_nothing(files: HeldHome, home: Path) -> None:
    (home / "taken").mkdir()
    with pytest.raises(ProviderError):
        await files.write("taken", b"body")
    assert os.listdir(home) == ["taken"]
