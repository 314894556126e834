from __future__ import annotations

import pytest

from tests.services.nbviewer.conftest import Hand, Nbviewer, notebook
from tests.services.nbviewer.sources.github_server import Gist, GitHub

LONG_ID = "0123456789abcdef0123"


@pytest.fixture
def gists(github: GitHub) -> GitHub:
    github.gists["1234"] = Gist(files={"one.ipynb": notebook("# The only one")}, owner="ada")
    github.gists[LONG_ID] = Gist(
        files={"b.ipynb": notebook("# b"), "ünï.ipynb": notebook("# ü"), "data.csv": b"1,2", "<script>alert": b""}
    )
    github.gists["77"] = Gist(files={"large.ipynb": notebook("# Large", "x" * 1_100_000)}, owner="ada")
    return github


async def test_a_gist_of_one_notebook_is_its_page(gists: GitHub, viewer: Nbviewer) -> None:
    answer = await viewer.get("/gist/ada/1234")
    assert "The only one" in answer.text
    assert f'href="{gists.url}/gist/ada/1234"' in answer.text


async def test_a_gist_of_several_files_is_a_list(gists: GitHub, viewer: Nbviewer) -> None:
    text = (await viewer.get(f"/gist/anonymous/{LONG_ID}")).text
    assert f'href="/gist/anonymous/{LONG_ID}/%C3%BCn%C3%AF.ipynb"' in text
    assert "<script>" not in text


@pytest.mark.parametrize("path", ["b.ipynb", "files/b.ipynb"])
async def test_one_file_of_a_gist_has_a_page(gists: GitHub, viewer: Nbviewer, path: str) -> None:
    answer = await viewer.get(f"/gist/anonymous/{LONG_ID}/{path}")
    assert answer.status_code == 200
    assert ">b</h1>" in answer.text or ">b<" in answer.text


async def test_a_file_above_a_megabyte_comes_from_the_raw_host(gists: GitHub, viewer: Nbviewer) -> None:
    answer = await viewer.get("/gist/ada/77")
    assert answer.status_code == 200
    assert len(answer.text) > 1_000_000
    assert gists.bodies["/gist/raw/77/large.ipynb"] == 1


ELSEWHERE = [
    ("/1234", "/gist/1234"),
    (f"/{LONG_ID}/b.ipynb", f"/gist/{LONG_ID}/b.ipynb"),
    ("/gist/1234", "/gist/ada/1234"),
    (f"/gist/{LONG_ID}", f"/gist/anonymous/{LONG_ID}"),
    (f"/gist/{LONG_ID}/b.ipynb", f"/gist/anonymous/{LONG_ID}/b.ipynb"),
    ("/gist/ada/1234/", "/gist/ada/1234"),
]


async def test_other_forms_of_a_gists_address_lead_to_its_own(gists: GitHub, viewer: Nbviewer) -> None:
    assert [(path, await viewer.leads_to(path)) for path, _ in ELSEWHERE] == ELSEWHERE


@pytest.mark.parametrize("path", ["/gist/ada/9999", f"/gist/anonymous/{LONG_ID}/missing.ipynb", "/gist/", "/abc"])
async def test_a_gist_or_file_that_is_not_there_is_a_404_page(gists: GitHub, viewer: Nbviewer, path: str) -> None:
    answer = await viewer.get(path)
    assert answer.status_code == 404
    assert "Enter another address" in answer.text


async def test_a_file_that_is_no_notebook_is_shown_on_the_content_origin(gists: GitHub, viewer: Nbviewer) -> None:
    path = f"/gist/anonymous/{LONG_ID}/data.csv"
    assert await viewer.leads_to(path) == f"https://content.example.org/raw{path}"


async def test_a_gist_seen_again_costs_no_api_budget(gists: GitHub, viewer: Nbviewer, clock: Hand) -> None:
    await viewer.get("/gist/ada/1234")
    left = gists.left
    clock.move(3600)
    await viewer.get("/gist/ada/1234")
    assert gists.left == left


async def test_a_user_has_gists_of_which_those_with_a_notebook_are_listed(gists: GitHub, viewer: Nbviewer) -> None:
    gists.gists["88"] = Gist(files={"notes.md": b"no notebook"}, owner="ada")
    assert await viewer.leads_to("/gist/ada") == "/gist/ada/"
    text = (await viewer.get("/gist/ada/")).text
    assert 'href="/gist/ada/1234"' in text
    assert 'href="/gist/ada/77"' in text
    assert "/gist/ada/88" not in text
    assert 'href="/gist/ada/"' in (await viewer.get("/gist/ada/1234")).text
    assert (await viewer.get("/gist/nobody/")).status_code == 404


async def test_the_gists_of_a_user_have_pages(gists: GitHub, viewer: Nbviewer, clock: Hand) -> None:
    for number in range(150):
        gists.gists[f"9{number:04}"] = Gist(files={"a.ipynb": notebook("# a")}, owner="ada")
    for _ in range(2):  # from GitHub, and again when nothing has changed
        assert 'rel="next" href="?page=2"' in (await viewer.get("/gist/ada/")).text
        second = (await viewer.get("/gist/ada/?page=2")).text
        assert 'rel="prev" href="?page=1"' in second
        assert 'rel="next"' not in second
        clock.move(61)
