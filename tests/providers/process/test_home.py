"""The files of a stranger are read without being led astray, and without waiting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.providers.process.home import DEEPEST, SessionHome


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SessionHome]:
    opened = SessionHome(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY), uid=-1, name="s")
    yield opened
    opened.close()


async def paths(home: SessionHome) -> list[str]:
    return [file.path for file in await home.scan()]


async def test_files_are_ordered_by_path(home: SessionHome, tmp_path: Path) -> None:
    for path in ("b", "a/z", "a/b/c", "A"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    assert await paths(home) == ["A", "a/b/c", "a/z", "b"]


async def test_names_that_are_not_text_are_left_out(home: SessionHome, tmp_path: Path) -> None:
    (tmp_path / "good").touch()
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff\xfe", os.O_CREAT))
    assert await paths(home) == ["good"]


async def test_directories_are_walked_to_a_depth_and_no_further(home: SessionHome, tmp_path: Path) -> None:
    here = tmp_path
    for _ in range(DEEPEST + 20):
        here /= "d"
        here.mkdir()
        (here / "f").touch()
    assert len(await paths(home)) == DEEPEST - 1
    with pytest.raises(ProviderError):
        await home.read("d/" * (DEEPEST + 5) + "f", most=10)


async def test_links_and_pipes_are_as_good_as_absent(home: SessionHome, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "far").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    assert await paths(home) == []
    for path in ("link", "far/passwd", "pipe", "absent"):
        with pytest.raises(ProviderError):
            await home.read(path, most=10**6)


async def test_a_scan_leaves_no_descriptor_open(home: SessionHome, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"d{number}" / "e").mkdir(parents=True)
    before = len(os.listdir("/proc/self/fd"))
    await home.scan()
    await home.write("d1/e/f", b"x")
    await home.read("d1/e/f", most=1)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_directory_is_not_replaced_by_a_file_and_no_part_is_left(home: SessionHome, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(ProviderError):
        await home.write("d", b"x")
    assert os.listdir(tmp_path) == ["d"]


async def test_a_file_that_grew_beyond_the_limit_is_refused(home: SessionHome, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(11))
    assert await home.read("f", most=11) == bytes(11)
    with pytest.raises(ProviderError, match="longer"):
        await home.read("f", most=10)


async def test_a_closed_home_says_so(home: SessionHome) -> None:
    home.close()
    home.close()
    with pytest.raises(ProviderError, match="gone"):
        await home.scan()
