from __future__ import annotations

import pytest

from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.github_server import GitHub

HELLO = "/github/ada/notes/blob/main/hello.ipynb"
RAW_HELLO = "/raw/ada/notes/main/hello.ipynb"


async def test_a_notebook_becomes_a_page_that_leads_back_to_its_source(viewer: Nbviewer, github: GitHub) -> None:
    answer = await viewer.get(HELLO)
    assert answer.status_code == 200
    assert "Hello from main" in answer.text
    assert f'href="{github.url}/ada/notes/blob/main/hello.ipynb"' in answer.text
    assert 'href="/github/ada/notes/tree/main/"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_raw_shows_the_same_page_as_blob(viewer: Nbviewer) -> None:
    assert "Hello from main" in (await viewer.get("/github/ada/notes/raw/main/hello.ipynb")).text


async def test_a_view_costs_no_api_request(viewer: Nbviewer, github: GitHub) -> None:
    await viewer.get(HELLO)
    assert [asked for asked in github.asked if "/api/" in asked] == []


async def test_a_second_view_asks_nothing_and_a_later_one_gets_no_body(
    viewer: Nbviewer, github: GitHub, clock: Hand
) -> None:
    first = await viewer.get(HELLO)
    await viewer.get(HELLO)
    assert github.asked[f"GET {RAW_HELLO}"] == 1
    clock.move(61)
    again = await viewer.get(HELLO)
    assert github.asked[f"GET {RAW_HELLO}"] == 2
    assert github.bodies[RAW_HELLO] == 1
    assert again.text == first.text
    assert again.headers["etag"] == first.headers["etag"]


async def test_flushing_asks_at_once_and_shows_the_change(viewer: Nbviewer, github: GitHub) -> None:
    await viewer.get(HELLO)
    github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook("# Changed")
    assert "Hello from main" in (await viewer.get(HELLO)).text
    assert "Changed" in (await viewer.get(HELLO, params={"flush_cache": "true"})).text
    assert "Changed" in (await viewer.get(HELLO)).text
    assert github.bodies[RAW_HELLO] == 2


async def test_head_is_a_branch(viewer: Nbviewer) -> None:
    assert "Hello from main" in (await viewer.get("/github/ada/notes/blob/HEAD/hello.ipynb")).text


@pytest.mark.parametrize("ref", ["feature/a", "feature%2Fa", "refs/heads/feature/a"])
async def test_a_branch_may_have_a_slash(viewer: Nbviewer, ref: str) -> None:
    answer = await viewer.get(f"/github/ada/notes/blob/{ref}/hello.ipynb")
    assert "Hello from a feature" in answer.text
    listing = await viewer.get(f"/github/ada/notes/tree/{ref}/")
    assert listing.status_code == 200
    assert "feature%2Fa/hello.ipynb" in listing.text


async def test_a_tag_is_a_ref(viewer: Nbviewer) -> None:
    assert "Hello from the tag" in (await viewer.get("/github/ada/notes/blob/v1.0/hello.ipynb")).text


async def test_names_with_spaces_and_other_letters_work(viewer: Nbviewer) -> None:
    answer = await viewer.get("/github/ada/notes/blob/main/deep/a%20m%C5%99%C3%AD%C5%BEka.ipynb")
    assert "Grid" in answer.text
    assert "a mřížka.ipynb" in answer.text


async def test_a_directory_lists_directories_then_notebooks_then_files(viewer: Nbviewer, github: GitHub) -> None:
    text = (await viewer.get("/github/ada/notes/tree/main/")).text
    names = ["deep", "9.ipynb", "10.ipynb", "broken.ipynb", "hello.ipynb", "README.md"]
    places = [text.index(f">{name}</a>") for name in names]
    assert places == sorted(places)
    assert f'href="{github.url}/ada/notes/blob/main/README.md"' in text
    assert 'href="/github/ada/notes/tree/feature%2Fa/"' in text
    assert 'href="/github/ada/notes/tree/v1.0/"' in text


ELSEWHERE = [
    ("/github/ada", "/github/ada/"),
    ("/github/ada?a=b", "/github/ada/?a=b"),
    ("/github/ada/notes", "/github/ada/notes/"),
    ("/github/ada/notes/", "/github/ada/notes/tree/main/"),
    ("/github/ada/notes/tree/main", "/github/ada/notes/tree/main/"),
    ("/github/ada/notes/tree/feature%2Fa", "/github/ada/notes/tree/feature%2Fa/"),
    ("/github/ada/notes/blob/main/hello.ipynb/?a=b", "/github/ada/notes/blob/main/hello.ipynb?a=b"),
    ("/github/ada/notes/tree/main/hello.ipynb/", "/github/ada/notes/blob/main/hello.ipynb"),
    ("/github/ada/notes/blob/main/deep", "/github/ada/notes/tree/main/deep/"),
    ("/url/github.com/ada/notes/blob/main/a%20b.ipynb", "/github/ada/notes/blob/main/a%20b.ipynb"),
    ("/urls/github.com/ada/notes?a=b", "/github/ada/notes?a=b"),
    ("/urls/raw.github.com/ada/notes/main/a.ipynb", "/github/ada/notes/blob/main/a.ipynb"),
    ("/url/rawgithub.com/ada/notes/main/a.ipynb", "/github/ada/notes/blob/main/a.ipynb"),
    ("/urls/raw.githubusercontent.com/ada/notes/refs/heads/main/a.ipynb", "/github/ada/notes/blob/main/a.ipynb"),
    ("/urls/rawgithubusercontent.com/ada/notes/main/a.ipynb", "/github/ada/notes/blob/main/a.ipynb"),
]


async def test_other_forms_of_an_address_lead_to_its_own(viewer: Nbviewer) -> None:
    assert [(path, await viewer.leads_to(path)) for path, _ in ELSEWHERE] == ELSEWHERE


async def test_a_file_that_is_no_notebook_is_shown_on_the_content_origin(viewer: Nbviewer) -> None:
    path = "/github/ada/notes/blob/main/README.md"
    assert await viewer.leads_to("/github/ada/notes/tree/main/README.md/") == path
    assert await viewer.leads_to(path) == f"https://content.example.org/raw{path}"


async def test_a_user_has_repositories(viewer: Nbviewer) -> None:
    assert 'href="/github/ada/notes/"' in (await viewer.get("/github/ada/")).text


NOT_THERE = [
    "/github/ada/notes/blob/main/nothing.ipynb",
    "/github/ada/nothing/blob/main/hello.ipynb",
    "/github/ada/notes/tree/nothing/",
    "/github/nobody/",
    "/github/ada/notes/blob/main/%2e%2e/%2e%2e/x.ipynb",
    "/github/ada/notes/issues",
    "/github/",
    "/nothing/at/all",
]


async def test_what_is_not_there_is_a_404_page(viewer: Nbviewer) -> None:
    for path in NOT_THERE:
        answer = await viewer.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"].startswith("text/html")
        assert "Enter another address" in answer.text


async def test_a_part_of_dots_never_reaches_the_api(viewer: Nbviewer, github: GitHub) -> None:
    await viewer.get("/github/ada/%2e%2e/tree/main/")
    await viewer.get("/github/ada/notes/tree/main/%2e%2e/%2e%2e/%2e%2e/user/")
    assert not github.asked


async def test_a_file_that_is_not_json_is_a_422_page(viewer: Nbviewer) -> None:
    answer = await viewer.get("/github/ada/notes/blob/main/broken.ipynb")
    assert answer.status_code == 422
    assert "Enter another address" in answer.text


async def test_a_name_that_is_markup_stays_text(viewer: Nbviewer, github: GitHub) -> None:
    name = "<script>alert(1)<%2Fscript>.ipynb"
    plain = name.replace("%2F", "\\")
    github.repositories["ada", "notes"].branches["main"][plain] = notebook("# <script>alert(2)</script>")
    listing = await viewer.get("/github/ada/notes/tree/main/")
    assert "&lt;script&gt;alert(1)" in listing.text
    page = await viewer.get("/github/ada/notes/blob/main/%3Cscript%3Ealert(1)%3C%5Cscript%3E.ipynb")
    assert page.status_code == 200
    missing = await viewer.get("/github/ada/%3Cscript%3Ealert(3)%3C%2Fscript%3E/blob/main/x.ipynb")
    for answer in (listing, page, missing):
        assert "<script>" not in answer.text


async def test_a_download_is_the_file_itself_and_no_page(viewer: Nbviewer, github: GitHub) -> None:
    answer = await viewer.get("/github/ada/notes/blob/main/deep/a%20m%C5%99%C3%AD%C5%BEka.ipynb?download")
    assert answer.content == github.repositories["ada", "notes"].branches["main"]["deep/a mřížka.ipynb"]
    assert answer.headers["content-type"] == "application/x-ipynb+json"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"a m___ka.ipynb\"; filename*=UTF-8''a%20m%C5%99%C3%AD%C5%BEka.ipynb"
    )


async def test_what_is_no_notebook_cannot_be_downloaded_through_here(viewer: Nbviewer) -> None:
    assert (await viewer.get("/github/ada/notes/blob/main/broken.ipynb?download")).status_code == 422


async def test_a_token_goes_to_the_api_alone_and_never_to_a_visitor(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer(github.settings(), store=store, clock=clock, token="ghp_secret") as viewer:
        answers = [await viewer.get(path) for path in (HELLO, "/github/ada/notes/tree/main/", "/github/nobody/")]
    with_token = {path for path, headers in github.headers.items() if "authorization" in headers}
    assert with_token
    assert all(path.startswith("/api/") for path in with_token)
    assert all("cookie" not in headers for headers in github.headers.values())
    assert all("ghp_secret" not in answer.text + str(answer.headers) for answer in answers)
