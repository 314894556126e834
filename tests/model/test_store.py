"""Which keys a store takes."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.errors import InvalidKey
from amalthea.model.store import check_key


@pytest.mark.parametrize("key", ["a", "a/b", "status/observed/north/2026-11-23.json", "mřížka", "a b", "~", "a.b"])
def test_plain_keys_are_taken(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", ".", "..", "a/../b", ".hidden", "a\\b", "a\nb", "a\0", "\ud800", "x" * 201, "x/" * 300],
)
def test_keys_that_could_lead_elsewhere_are_refused(key: str) -> None:
    with pytest.raises(InvalidKey):
        check_key(key)


@given(st.text(alphabet="ab./\\\0é", max_size=12))
def test_a_key_that_is_taken_stays_below_any_directory(key: str) -> None:
    try:
        check_key(key)
    except InvalidKey:
        return
    assert posixpath.normpath(posixpath.join("/top", key)) == f"/top/{key}"
