"""Archives that a stranger made."""

from __future__ import annotations

import io
import tarfile

import pytest

from amalthea.model.errors import ProviderError
from amalthea.providers.docker.archive import listed, pack, picked


def hostile() -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("./good.txt", "../up", "/etc/passwd", "./a/../../up", "./good.txt"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"body"))
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("null", tarfile.CHRTYPE)):
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    return made


def test_nothing_but_plain_files_below_the_home_is_listed_and_each_once() -> None:
    assert [one.path for one in listed(hostile())] == ["good.txt"]


@pytest.mark.parametrize("name", ["link", "hard", "null", "up", "none"])
def test_what_is_not_listed_cannot_be_read(name: str) -> None:
    with pytest.raises(ProviderError):
        picked(hostile(), name, 100)


def test_what_is_longer_than_asked_for_is_an_error() -> None:
    assert picked(hostile(), "good.txt", 4) == b"body"
    with pytest.raises(ProviderError, match="more than 3 bytes"):
        picked(hostile(), "good.txt", 3)


def test_what_is_no_archive_is_an_error() -> None:
    for body in (b"", b"no archive" * 100):
        with pytest.raises(ProviderError):
            picked(io.BytesIO(body), "good.txt", 100)


def test_what_is_packed_has_its_directories_and_its_mode() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack(["a", "b", "run"], b"x", executable=True))) as archive:
        assert [one.name for one in archive] == ["a", "a/b", "a/b/run"]
        assert archive.getmember("a/b/run").mode == 0o755
