"""All of nbviewer below a path: nothing of it is, or leads, outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.errors import UsageError
from amalthea.services.nbviewer.pages.basing import based, normal
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.github_server import GitHub

BASE = "/x%20y/z/"
LINKS = ("href", "src", "action", "formaction", "data-src", "poster")


class Links(HTMLParser):
    """Every address on a page that a browser would go to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in LINKS and value]


@pytest.fixture
async def viewer(github: GitHub, store: MemoryStore, clock: Hand, tmp_path: Path) -> AsyncIterator[Nbviewer]:
    files = github.repositories["ada", "notes"].branches["main"]
    files["links.ipynb"] = notebook("[next](hello.ipynb) and ![a picture](deep/picture.png)", "# One", "# Two")
    (tmp_path / "a.ipynb").write_bytes(notebook("[here](b.ipynb) ![there](c.png)"))
    (tmp_path / "c.png").write_bytes(b"\x89PNG")
    settings = {**github.settings(), "base_url": BASE, "local": str(tmp_path), "local_any_user": True}
    async with nbviewer(settings, store=store, clock=clock) as made:
        yield made


def outside(text: str) -> list[str]:
    return [link for link in Links(text).found if link.startswith("/") and not link.startswith(BASE)]


async def test_no_page_leads_outside_the_base(viewer: Nbviewer) -> None:
    """A walk over every link of ours, from pages of every kind."""
    ahead = [
        BASE + path for path in ("", "faq", "sample", "github/ada/notes/blob/main/links.ipynb", "localfile/a.ipynb")
    ]
    ahead += [
        BASE + path for path in ("github/ada/", "format/slides/sample", "nowhere/", "github/ada/missing/", "diff")
    ]
    seen: set[str] = set()
    while ahead and len(seen) < 80:
        path = ahead.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = await viewer.get(path)
        location = answer.headers.get("location", "")
        assert not location.startswith("/") or location.startswith(BASE), (path, location)
        assert outside(answer.text) == [], path
        links = [*Links(answer.text).found, *filter(None, [location])]
        ahead += [link for link in dict.fromkeys(links) if link.startswith(BASE)]
    kinds = ("tree/main/", "blob/main/", "/static/", "/localfile/", "/format/script/", "?source", "?download")
    assert [kind for kind in kinds if not any(kind in path for path in seen)] == []


async def test_what_is_pasted_leads_to_a_page_below_the_base(viewer: Nbviewer) -> None:
    answer = await viewer.client.post(f"{BASE}create", data={"gistnorurl": "ada/notes"})
    assert answer.headers["location"] == f"{BASE}github/ada/notes/tree/HEAD/"


async def test_crawlers_are_told_the_paths_as_they_see_them(viewer: Nbviewer) -> None:
    text = (await viewer.get(f"{BASE}robots.txt")).text
    assert f"Disallow: {BASE}*?flush_cache" in text
    assert not [line for line in text.splitlines() if "Disallow: " in line and BASE not in line]


async def test_relative_addresses_of_a_notebook_lead_below_the_base(viewer: Nbviewer, github: GitHub) -> None:
    links = Links((await viewer.get(f"{BASE}github/ada/notes/blob/main/links.ipynb")).text).found
    assert f"{BASE}github/ada/notes/blob/main/hello.ipynb" in links
    assert f"{github.url}/raw/ada/notes/main/deep/picture.png" in links
    local = Links((await viewer.get(f"{BASE}localfile/a.ipynb")).text).found
    assert {f"{BASE}localfile/b.ipynb", f"{BASE}localfile/c.png"} <= set(local)


@pytest.mark.parametrize("path", ["/", BASE.rstrip("/")])
async def test_the_door_leads_to_the_front_page(viewer: Nbviewer, path: str) -> None:
    assert await viewer.leads_to(path) == BASE


@pytest.mark.parametrize("path", ["/faq", "/sample", "/x", "/x%20y/", "/x%20y/zz/sample", "/x y/z/sample", "/X%20y/z/"])
async def test_nothing_is_outside_the_base(viewer: Nbviewer, path: str) -> None:
    answer = await viewer.get(path)
    found = "sample" in path and path.startswith("/x y")  # a client writes the space as an escape
    assert answer.status_code == (200 if found else 404)


async def test_an_address_of_ours_may_be_copied_from_the_browsers_bar(viewer: Nbviewer) -> None:
    path = f"{BASE}github/ada/notes/blob/main/hello.ipynb"
    for copied in (path, f"https://nbviewer.example.org{path}"):
        answer = await viewer.get(f"{BASE}diff", params={"a": copied, "b": copied})
        assert answer.status_code == 200, copied
    pasted = {"gistnorurl": f"https://nbviewer.example.org{path}"}
    answer = await viewer.client.post(f"{BASE}create", data=pasted)
    assert answer.headers["location"] == path


async def test_the_content_origin_lies_at_its_root(viewer: Nbviewer) -> None:
    moved = await viewer.leads_to(f"{BASE}localfile/c.png")
    assert moved == "https://content.example.org/raw/localfile/c.png"
    answer = await viewer.get("/raw/localfile/c.png", headers={"host": "content.example.org"})
    assert answer.content == b"\x89PNG"


@pytest.mark.parametrize("base", ["a//b", "/../", "/a/./"])
def test_what_is_no_path_is_refused(base: str) -> None:
    with pytest.raises(UsageError, match="no path"):
        normal(base, where="base_url")


@pytest.mark.parametrize(("base", "made"), [("", "/"), ("/", "/"), ("x", "/x/"), ("/x/y", "/x/y/"), ("/x/", "/x/")])
def test_a_base_has_a_slash_at_both_ends(base: str, made: str) -> None:
    assert normal(base, where="base_url") == made


def paths() -> Iterator[st.SearchStrategy[str]]:
    yield st.from_regex(r"/[a-z/?#%]{0,20}", fullmatch=True).filter(lambda path: not path.startswith("//"))


@given(path=next(paths()))
def test_only_a_path_of_ours_is_moved_and_the_root_moves_nothing(path: str) -> None:
    assert based("/", path) == path
    assert based("/x/", path) == "/x" + path
    for other in (f"https://example.org{path}", f"/{path}", f"?{path}", f"#{path}", path[1:]):
        if not (other.startswith("/") and not other.startswith("//")):
            assert based("/x/", other) == other
