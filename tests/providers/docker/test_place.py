"""Directories of the host, and how a socket gets out of a stranger's hands."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.providers.docker.place import Berth, Place, alive, instances


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


@pytest.fixture
def place(short: Path) -> Place:
    made = Place(short / "ada")
    made.make()
    return made


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        yield made


async def test_the_socket_is_moved_away_once_somebody_listens(place: Place, server: socket.socket) -> None:
    meeting = asyncio.create_task(place.met())
    server.bind(str(place.meeting / "sock"))
    await asyncio.sleep(0.05)
    assert not meeting.done()
    server.listen()
    await asyncio.wait_for(meeting, 5)
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(place.address.removeprefix("unix:"))


async def test_nothing_can_be_made_any_more_where_the_socket_was(place: Place, server: socket.socket) -> None:
    seen = os.open(place.meeting, os.O_RDONLY)
    try:
        server.bind(str(place.meeting / "sock"))
        server.listen()
        await place.met()
        with pytest.raises(FileNotFoundError):
            os.open("anything", os.O_CREAT | os.O_WRONLY, dir_fd=seen)
        with pytest.raises(FileNotFoundError):
            os.symlink("/run/docker.sock", "sock", dir_fd=seen)
    finally:
        os.close(seen)


async def test_a_link_to_another_socket_is_not_taken_for_the_servers(place: Place, server: socket.socket) -> None:
    elsewhere = place.meeting.parent / "elsewhere"
    server.bind(str(elsewhere))
    server.listen()
    (place.meeting / "sock").symlink_to(elsewhere)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(place.met(), 0.2)
    assert not place.socket.exists()


async def test_a_file_of_that_name_is_not_taken_for_the_servers(place: Place) -> None:
    (place.meeting / "sock").write_text("")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(place.met(), 0.2)


def test_nobody_but_the_owner_gets_to_a_session(place: Place) -> None:
    assert place.meeting.parent.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_is_an_error_that_says_so(short: Path) -> None:
    with pytest.raises(ProviderError, match="107 bytes"):
        Place(short / ("a" * 100)).make()


def test_an_instance_lives_as_long_as_it_is_open(short: Path) -> None:
    berth = Berth(short)
    assert list(instances(short)) == [berth.instance]
    assert alive(short, berth.instance)
    berth.close()
    assert not alive(short, berth.instance)
    assert not list(short.iterdir())
