from __future__ import annotations

import os.path
import zipfile
from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.errors import InvalidKey
from amalthea.services.tmpnb.work.keys import Name, blob_key, name_of, session_of, session_prefix, snapshot_key
from amalthea.services.tmpnb.work.paths import directories, is_fit

UNFIT = [
    *("", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/", "a\0b", "a\nb", "\x7f"),
    *("..\\x", "a\\b", "C:x", "c:/x", "\ud800", "x" * 256, "ü" * 128, "a/" * 32 + "a", "/".join(["y" * 200] * 6)),
]
FIT = ["a", "a/b", ".hidden", "...", "a b/ü/数据 🐐", "-rf", "ab:c", "x" * 255, "a/" * 31 + "a", "~", "$HOME"]


@pytest.mark.parametrize("path", UNFIT)
def test_a_path_that_means_something_else_elsewhere_is_unfit(path: str) -> None:
    assert not is_fit(path)


@pytest.mark.parametrize("path", FIT)
def test_any_other_path_is_fit(path: str) -> None:
    assert is_fit(path)


@given(st.text(alphabet=st.sampled_from("./\\:aCü\0\n \ud800"), max_size=12))
def test_a_fit_path_stays_where_it_is_unpacked_on_every_system(path: str) -> None:
    if is_fit(path):
        assert os.path.normpath(os.path.join("/home", path)) == f"/home/{path}"
        windows = PureWindowsPath("D:/home") / path
        assert windows.is_relative_to("D:/home")
        assert ".." not in windows.parts
        assert zipfile.ZipInfo(path).filename == path


def test_directories_are_all_those_above_a_path() -> None:
    assert directories(["a/b/c", "a/d", "e"]) == {"a", "a/b"}


@pytest.mark.parametrize("session", ["", "/", "..", "ü", "a.b", "x" * 65, "a\n"])
def test_a_session_is_named_by_letters_digits_and_hyphens(session: str) -> None:
    with pytest.raises(InvalidKey, match="letters, digits and hyphens"):
        session_prefix(session)
    assert session_of(f"tmpnb/work/{session}/blob/x") is None


def test_a_key_tells_whose_it_is_and_what() -> None:
    name = Name("01ARZ3NDEK" + "0" * 16, "north-2")
    assert session_of(blob_key("S-1", "0" * 64)) == "S-1"
    assert name_of(snapshot_key("S-1", name)) == name
    assert snapshot_key("S-1", name) == "tmpnb/work/S-1/snapshot/01ARZ3NDEK0000000000000000-north-2"
    assert name_of("tmpnb/work/S-1/snapshot/01ARZ3NDEK0000000000000000") is None
    assert name_of("tmpnb/work/S-1/snapshot/7ZZZZZZZZZZZZZZZZZZZZZZZZZ-north") is None
