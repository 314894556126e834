"""`/format/<format>/<any path>`, the file behind a page, and what a page offers."""

from __future__ import annotations

import pytest

from tests.services.nbviewer.conftest import Nbviewer, notebook
from tests.services.nbviewer.sources.github_server import Gist, GitHub

HELLO = "/github/ada/notes/blob/main/hello.ipynb"
GIST = "0123456789abcdef0123"


@pytest.fixture(autouse=True)
def more(github: GitHub) -> None:
    files = github.repositories["ada", "notes"].branches["main"]
    files["talk.ipynb"] = notebook("# A talk").replace(
        b'"metadata": {}, "source"', b'"metadata": {"slideshow": {"slide_type": "slide"}}, "source"'
    )
    github.gists[GIST] = Gist({"a.ipynb": notebook("# A <script>alert(1)</script> gist")}, owner="ada")


async def test_the_html_format_is_the_page(viewer: Nbviewer) -> None:
    assert "Hello from main" in (await viewer.get(f"/format/html{HELLO}")).text


async def test_a_script_is_plain_text_and_a_file_with_the_ending_of_its_language(viewer: Nbviewer) -> None:
    answer = await viewer.get(f"/format/script{HELLO}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "# %% [markdown]\n# # Hello from main\n"
    file = await viewer.get(f"/format/script{HELLO}?download")
    assert 'filename="hello.py"' in file.headers["content-disposition"]
    assert file.text == answer.text


async def test_slides_use_reveal_from_this_server_and_lead_back(viewer: Nbviewer) -> None:
    answer = await viewer.get(f"/format/slides/gist/ada/{GIST}")
    assert answer.status_code == 200
    assert "/static/reveal." in answer.text
    assert f'href="/gist/ada/{GIST}"' in answer.text
    assert "//gist/" not in answer.text
    assert "<script>" not in answer.text


async def test_slides_are_offered_only_where_there_are_some(viewer: Nbviewer) -> None:
    talk = "/github/ada/notes/blob/main/talk.ipynb"
    assert f'href="/format/slides{talk}"' in (await viewer.get(talk)).text
    assert "/format/slides" not in (await viewer.get(HELLO)).text


async def test_redirects_and_listings_keep_the_format(viewer: Nbviewer) -> None:
    assert await viewer.leads_to("/format/slides/github/ada") == "/format/slides/github/ada/"
    assert await viewer.leads_to(f"/format/script/{GIST}") == f"/format/script/gist/{GIST}"
    assert (
        await viewer.leads_to("/format/slides/urls/github.com/ada/notes/blob/main/hello.ipynb")
        == f"/format/slides{HELLO}"
    )
    listing = (await viewer.get("/format/slides/github/ada/notes/tree/main/")).text
    assert f'href="/format/slides{HELLO}"' in listing


@pytest.mark.parametrize(
    "path", ["/format/pdf/sample", "/format/slides/", "/format/slides", "/format/", "/format/html/faq"]
)
async def test_other_formats_and_pages_have_no_format(viewer: Nbviewer, path: str) -> None:
    assert (await viewer.get(path)).status_code == 404


async def test_the_source_is_text(viewer: Nbviewer) -> None:
    answer = await viewer.get(f"{HELLO}?source")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.content == notebook("# Hello from main")


async def test_a_bad_notebook_is_an_error_in_every_format(viewer: Nbviewer) -> None:
    for kind in ("html", "slides", "script"):
        answer = await viewer.get(f"/format/{kind}/github/ada/notes/blob/main/broken.ipynb")
        assert answer.status_code == 422
