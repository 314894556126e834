from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.rewriting import quoted, rewrite, rules

TABLE = rules(
    github_url="https://github.example.edu",
    gist_url="https://gist.example.edu",
    own_url="https://nbviewer.example.org",
)
LONG_ID = "0123456789abcdef0123"

REWRITES = [
    ("1234", "/1234"),
    ("1234/", "/1234"),
    (LONG_ID, f"/{LONG_ID}"),
    ("https://gist.github.com/user-name/1234", "/1234"),
    ("https://gist.github.com/user-name/1234/", "/1234"),
    (f"https://gist.github.com/{LONG_ID}", f"/{LONG_ID}"),
    ("https://gist.example.edu/user/1234", "/1234"),
    ("http://github.com/user-name_/repo-name_/blob/master/path/file.ipynb",
     "/github/user-name_/repo-name_/blob/master/path/file.ipynb"),
    ("https://github.com/user-name_/repo-name_/blob/master/path/file.ipynb",
     "/github/user-name_/repo-name_/blob/master/path/file.ipynb"),
    ("https://github.com/user-name_/repo-name_/tree/master/path/", "/github/user-name_/repo-name_/tree/master/path/"),
    ("github.com/u/r/blob/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://github.com/u/r/raw/main/a.ipynb?raw=true", "/github/u/r/blob/main/a.ipynb"),
    ("https://github.com/u/r/raw/refs/heads/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://github.com/u/r", "/github/u/r/tree/HEAD/"),
    ("https://github.com/u/r.git", "/github/u/r/tree/HEAD/"),
    ("https://github.com/u", "/github/u/"),
    ("https://github.example.edu/u/r/blob/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://raw.githubusercontent.com/u/r/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://raw.githubusercontent.com/u/r/refs/heads/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://raw.github.com/u/r/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://github.com/user/repo/blob/deadbeef/a mřížka.ipynb", "/github/user/repo/blob/deadbeef/a mřížka.ipynb"),
    ("https://raw.githubusercontent.com/user/repo/deadbeef/a mřížka.ipynb",
     "/github/user/repo/blob/deadbeef/a mřížka.ipynb"),
    ("ipy-thon", "/github/ipy-thon/"),
    ("ada", "/github/ada/"),
    ("deadbeef", "/github/deadbeef/"),
    ("ipy-thon/ipy-thon", "/github/ipy-thon/ipy-thon/tree/HEAD/"),
    ("http://www.dropbox.com/s/bar/baz.qux", "/url/dl.dropbox.com/s/bar/baz.qux"),
    ("https://www.dropbox.com/s/bar/baz.qux", "/urls/dl.dropbox.com/s/bar/baz.qux"),
    ("https://www.dropbox.com/sh/a/b/nested/User%2520Interface.ipynb?dl=1",
     "/urls/dl.dropbox.com/sh/a/b/nested/User%2520Interface.ipynb"),
    ("https://huggingface.co/spaces/p/x/blob/main/f.ipynb", "/urls/huggingface.co/spaces/p/x/resolve/main/f.ipynb"),
    ("https://gitlab.com/group/sub/p/-/blob/main/a.ipynb?ref_type=heads",
     "/urls/gitlab.com/group/sub/p/-/raw/main/a.ipynb"),
    ("https://example.org/ipynb", "/urls/example.org/ipynb"),
    ("http://example.org/ipynb", "/url/example.org/ipynb"),
    ("example.org/ipynb", "/url/example.org/ipynb"),
    ("https://gist.github.com/user/1234/raw/a1b2c3/file.ipynb?query=string&is=1",
     "/urls/gist.github.com/user/1234/raw/a1b2c3/file.ipynb/%3Fquery%3Dstring%26is%3D1"),
    ("https://nbviewer.example.org/github/u/r/blob/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://nbviewer.org/github/u/r/blob/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://github.com/u/r/blob/main/a.ipynb#Results", "/github/u/r/blob/main/a.ipynb#Results"),
    ("", "/"),
    ("  \n ", "/"),
]  # fmt: skip


@pytest.mark.parametrize(("pasted", "path"), REWRITES)
def test_what_people_paste_becomes_the_path_of_a_page(pasted: str, path: str) -> None:
    assert rewrite(f" {pasted}\n", TABLE) == path


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("hi", "hi"),
        (" /#", "%20/%23"),
        ("ü /é#/", "%C3%BC%20/%C3%A9%23/"),
        ("a%20b", "a%20b"),
        ("100%.ipynb", "100%25.ipynb"),
        ("a%2520b", "a%2520b"),
    ],
)
def test_a_location_keeps_escapes_and_escapes_the_rest(path: str, location: str) -> None:
    assert quoted(path) == location


@given(st.text(max_size=200))
def test_anything_pasted_becomes_a_path_of_this_server_that_a_header_can_hold(pasted: str) -> None:
    path = rewrite(pasted, TABLE)
    assert path.startswith("/")
    assert not path.startswith("//")
    location = quoted(path.encode(errors="replace").decode())
    assert location.isascii()
    assert location.isprintable()
    assert " " not in location
