from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.paste.rewriting import quoted, rewrite, rules
from amalthea.services.nbviewer.settings import Settings

TABLE = rules(
    Settings(
        github_url="https://github.example.edu",
        gist_url="https://gist.example.edu",
        gitlab_urls=("https://gitlab.com", "http://gitlab.example.edu:8080"),
    ),
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
     "/gitlab/gitlab.com/group/sub/p/-/blob/main/a.ipynb"),
    ("https://gitlab.com/group/p/-/tree/feature/a/notes", "/gitlab/gitlab.com/group/p/-/tree/feature/a/notes/"),
    ("https://gitlab.com/group/sub/p", "/gitlab/gitlab.com/group/sub/p/"),
    ("gitlab.com/group", "/gitlab/gitlab.com/group/"),
    ("git@gitlab.com:group/p.git", "/gitlab/gitlab.com/group/p/"),
    ("https://gitlab.example.net/g/p/-/raw/main/a%20b.ipynb", "/gitlab/gitlab.example.net/g/p/-/blob/main/a%20b.ipynb"),
    ("http://gitlab.example.edu:8080/g/p/-/blob/main/a.ipynb",
     "/gitlab/gitlab.example.edu:8080/g/p/-/blob/main/a.ipynb"),
    ("http://gitlab.example.net/g/p/-/blob/main/a.ipynb", "/url/gitlab.example.net/g/p/-/raw/main/a.ipynb"),
    ("https://codeberg.org/u/r/src/branch/feature/a/n.ipynb", "/gitea/codeberg.org/u/r/blob/feature/a/n.ipynb"),
    ("https://git.example.net/u/r/src/commit/abc/notes/", "/gitea/git.example.net/u/r/tree/abc/notes/"),
    ("https://codeberg.org/u/r", "/gitea/codeberg.org/u/r/tree/HEAD/"),
    ("https://codeberg.org/u/r.git", "/gitea/codeberg.org/u/r/tree/HEAD/"),
    ("https://codeberg.org/u", "/gitea/codeberg.org/u/"),
    ("https://bitbucket.org/w/r/src/master/a/n.ipynb?at=master", "/bitbucket/w/r/blob/master/a/n.ipynb"),
    ("https://bitbucket.org/w/r/src/master/a/", "/bitbucket/w/r/tree/master/a/"),
    ("https://bitbucket.org/w/r/src/", "/bitbucket/w/r/tree/HEAD/"),
    ("https://ada@bitbucket.org/w/r.git", "/bitbucket/w/r/tree/HEAD/"),
    ("https://bitbucket.org/w/", "/bitbucket/w/"),
    ("https://huggingface.co/u/m", "/hf/u/m/tree/main/"),
    ("https://huggingface.co/datasets/u/d/tree/main/notes", "/hf/datasets/u/d/tree/main/notes/"),
    ("https://huggingface.co/datasets/u/d/resolve/main/n.ipynb?download=true",
     "/urls/huggingface.co/datasets/u/d/resolve/main/n.ipynb"),
    ("https://huggingface.co/spaces/u/s", "/hf/spaces/u/s/tree/main/"),
    ("https://huggingface.co/u", "/hf/u/"),
    ("10.5281/zenodo.1234", "/zenodo/1234/"),
    ("doi:10.5281/zenodo.1234", "/zenodo/1234/"),
    ("https://doi.org/10.5281/zenodo.1234", "/zenodo/1234/"),
    ("https://zenodo.org/records/1234", "/zenodo/1234/"),
    ("https://zenodo.org/record/1234/files/a%20b.ipynb?download=1", "/zenodo/1234/a%20b.ipynb"),
    ("https://zenodo.org/api/records/1234/files/n.ipynb/content", "/zenodo/1234/n.ipynb"),
    ("https://www.dropbox.com/scl/fi/abc/n.ipynb?rlkey=k1&st=x&dl=0",
     "/urls/dl.dropboxusercontent.com/scl/fi/abc/n.ipynb/%3Frlkey%3Dk1"),
    ("https://drive.google.com/file/d/1a-B_c/view?usp=sharing",
     "/urls/drive.usercontent.google.com/download/%3Fid%3D1a-B_c%26export%3Ddownload"),
    ("https://drive.google.com/open?id=1a-B_c&authuser=0",
     "/urls/drive.usercontent.google.com/download/%3Fid%3D1a-B_c%26export%3Ddownload"),
    ("https://colab.research.google.com/drive/1a-B_c?usp=sharing#scrollTo=x",
     "/urls/drive.usercontent.google.com/download/%3Fid%3D1a-B_c%26export%3Ddownload#scrollTo=x"),
    ("https://colab.research.google.com/github/u/r/blob/main/n.ipynb", "/github/u/r/blob/main/n.ipynb"),
    (f"https://colab.research.google.com/gist/u/{LONG_ID}/n.ipynb", f"/gist/u/{LONG_ID}/n.ipynb"),
    ("s3://bucket/a/n.ipynb", "/urls/bucket.s3.amazonaws.com/a/n.ipynb"),
    ("s3://bucket.with.dots/n.ipynb", "/urls/s3.amazonaws.com/bucket.with.dots/n.ipynb"),
    ("https://eu-west-1.console.aws.amazon.com/s3/object/bucket?region=eu-west-1&prefix=a/n.ipynb",
     "/urls/bucket.s3.amazonaws.com/a/n.ipynb"),
    ("gs://bucket/a/n.ipynb", "/urls/storage.googleapis.com/bucket/a/n.ipynb"),
    ("https://storage.cloud.google.com/bucket/n.ipynb?authuser=0", "/urls/storage.googleapis.com/bucket/n.ipynb"),
    ("https://storage.googleapis.com/bucket/n.ipynb", "/urls/storage.googleapis.com/bucket/n.ipynb"),
    ("https://console.cloud.google.com/storage/browser/_details/bucket/a/n.ipynb;tab=live_object?project=p",
     "/urls/storage.googleapis.com/bucket/a/n.ipynb"),
    ("https://mybinder.org/v2/gh/u/r/HEAD?filepath=notes/n.ipynb", "/github/u/r/blob/HEAD/notes/n.ipynb"),
    ("https://mybinder.org/v2/gh/u/r/feature%2Fa?urlpath=lab/tree/notes", "/github/u/r/tree/feature%2Fa/notes"),
    ("https://mybinder.org/v2/gh/u/r/main", "/github/u/r/tree/main/"),
    ("https://mybinder.org/v2/gl/group%2Fp/main?labpath=a%20b.ipynb",
     "/gitlab/gitlab.com/group/p/-/blob/main/a%20b.ipynb"),
    (f"https://mybinder.org/v2/gist/u/{LONG_ID}/HEAD", f"/gist/u/{LONG_ID}"),
    ("https://mybinder.org/v2/zenodo/10.5281/zenodo.1234/?filepath=n.ipynb", "/zenodo/1234/n.ipynb"),
    ("https://github.dev/u/r/blob/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://github.dev/u/r", "/github/u/r/tree/HEAD/"),
    ("https://vscode.dev/github/u/r/blob/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://raw.githack.com/u/r/main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("https://rawcdn.githack.com/u/r/abc/a.ipynb?min=1", "/github/u/r/blob/abc/a.ipynb"),
    ("https://cdn.jsdelivr.net/gh/u/r@main/a.ipynb", "/github/u/r/blob/main/a.ipynb"),
    ("git@github.com:u/r.git", "/github/u/r/tree/HEAD/"),
    ("ssh://git@github.example.edu/u/r.git", "/github/u/r/tree/HEAD/"),
    (f"https://gist.githubusercontent.com/u/{LONG_ID}/raw/n.ipynb", f"/gist/u/{LONG_ID}/n.ipynb"),
    (f"https://gist.githubusercontent.com/u/{LONG_ID}/raw/abc/n.ipynb",
     f"/urls/gist.githubusercontent.com/u/{LONG_ID}/raw/abc/n.ipynb"),
    (f"https://gist.github.com/{LONG_ID}.git", f"/{LONG_ID}"),
    ("https://nbviewer.org/1234", "/1234"),
    ("https://nbviewer.jupyter.org/urls/example.org/a.ipynb", "/urls/example.org/a.ipynb"),
    ("https://github.com/u/r/blob/a%23b=c/n.ipynb", "/github/u/r/blob/a%23b=c/n.ipynb"),
    ("https://github.com/u/r/tree/refs/heads/main/x", "/github/u/r/tree/main/x"),
    ("x" * 5000, "/"),
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


@pytest.mark.parametrize("start", ["https://", "https://gitlab.com/", "https://huggingface.co/", "https://github.com/"])
@pytest.mark.parametrize("piece", ["binder", "x/-/blob/y.ipynb", "/-/tree/", "/raw/", "/src/branch/", "?", "&id="])
@pytest.mark.parametrize("end", ["", "?\nx"])
def test_whatever_is_pasted_is_understood_at_once(start: str, piece: str, end: str) -> None:
    pasted = (start + piece * 4000)[:4090] + end
    began = time.process_time()
    rewrite(pasted, TABLE)
    assert time.process_time() - began < 0.1
