from __future__ import annotations

import pytest

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.pages.diffing import two
from tests.services.nbviewer.conftest import Nbviewer

OLD, NEW = "/github/ada/notes/blob/main/hello.ipynb", "/github/ada/notes/blob/v1.0/hello.ipynb"


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("/github/u/r/blob/a..b/x.ipynb", ("/github/u/r/blob/a/x.ipynb", "/github/u/r/blob/b/x.ipynb")),
        ("/github/u/r/a...b/x.ipynb", ("/github/u/r/blob/a/x.ipynb", "/github/u/r/blob/b/x.ipynb")),
        ("/github/u/r/blob/v1.0..v1.1/x.ipynb", ("/github/u/r/blob/v1.0/x.ipynb", "/github/u/r/blob/v1.1/x.ipynb")),
        ("/github/u/r/blob/f%2Fa..main/x.ipynb", ("/github/u/r/blob/f%2Fa/x.ipynb", "/github/u/r/blob/main/x.ipynb")),
        ("/urls/a.org/x.ipynb..y.ipynb", ("/urls/a.org/x.ipynb", "/urls/a.org/y.ipynb")),
    ],
)
def test_one_path_stands_for_two(path: str, paths: tuple[str, str]) -> None:
    assert two(path) == paths


@pytest.mark.parametrize("path", ["/github/u/r/blob/main/x.ipynb", "/a/../b", "/..", "/a../b", "/"])
def test_one_path_is_not_two(path: str) -> None:
    with pytest.raises(Missing):
        two(path)


async def test_two_commits_are_compared_by_one_path(viewer: Nbviewer) -> None:
    answer = await viewer.get("/diff/github/ada/notes/blob/main..v1.0/hello.ipynb")
    assert answer.status_code == 200
    assert f'href="{OLD}"' in answer.text
    assert f'href="{NEW}"' in answer.text
    assert "<ins>" in answer.text


async def test_any_two_addresses_are_compared_as_they_are_pasted(viewer: Nbviewer) -> None:
    for old in (OLD, "https://github.com/ada/notes/blob/main/hello.ipynb"):
        answer = await viewer.get("/diff", params={"a": old, "b": NEW})
        assert answer.status_code == 200, old
        assert "Hello from" in answer.text


async def test_the_form_keeps_what_is_known_and_escapes_it(viewer: Nbviewer) -> None:
    answer = await viewer.get("/diff", params={"a": '"><script>'})
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text


async def test_what_is_no_notebook_is_said(viewer: Nbviewer) -> None:
    for path in ("/github/ada/notes/tree/main/", "/faq", "/nothing"):
        assert (await viewer.get("/diff", params={"a": path, "b": NEW})).status_code == 404, path
    broken = "/github/ada/notes/blob/main/broken.ipynb"
    assert (await viewer.get("/diff", params={"a": broken, "b": NEW})).status_code == 422
    assert (await viewer.get("/diff/github/ada/notes/blob/main/hello.ipynb")).status_code == 404
