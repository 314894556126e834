"""nbviewer's own routes, row by row: every link on the web that leads to an nbviewer leads somewhere here too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from amalthea.services.nbviewer.paste.rewriting import quoted, rewrite, rules
from amalthea.services.nbviewer.settings import Settings
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook, resolver
from tests.services.nbviewer.sources.github_server import Gist, GitHub
from tests.services.nbviewer.sources.test_urls import Web, web

LONG_ID = "0123456789abcdef0123"
REPO = "/github/ada/notes"


@pytest.fixture
async def origin() -> AsyncIterator[Web]:
    async with web() as made:
        yield made


@pytest.fixture
async def viewer(github: GitHub, origin: Web, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    talk = notebook("# Talk").replace(b'"metadata": {}', b'"metadata": {"slideshow": {"slide_type": "slide"}}', 1)
    github.gists["12345"] = Gist(files={"only.ipynb": notebook("# The only one")}, owner="ada")
    github.gists[LONG_ID] = Gist(
        files={"b.ipynb": notebook("# b"), "ünï.ipynb": notebook("# ü"), "<script>alert": b"", "bad.ipynb": b"no"}
    )
    github.gists["777"] = Gist(files={"talk.ipynb": talk}, owner="ada")
    settings = {**github.settings(), "private_hosts": [f"friend.example:{origin.port}", f"127.0.0.1:{origin.port}"]}
    names = {"friend_example": ["127.0.0.1"], "127_0_0_1": ["127.0.0.1"]}
    async with nbviewer(settings, store=store, clock=clock, resolve=resolver(**names)) as made:
        yield made


TABLE = rules(Settings(), own_url="https://nbviewer.example.org")
PASTED = [
    ("1234", "/1234"),
    ("1234/", "/1234"),
    ("https://gist.github.com/user-name/1234", "/1234"),
    ("https://gist.github.com/user-name/1234/", "/1234"),
    ("http://github.com/user-name_/repo-name_/blob/master/path/file.ipynb",
     "/github/user-name_/repo-name_/blob/master/path/file.ipynb"),
    ("https://github.com/user-name_/repo-name_/blob/master/path/file.ipynb",
     "/github/user-name_/repo-name_/blob/master/path/file.ipynb"),
    ("http://github.com/user-name_/repo-name_/tree/master/path/", "/github/user-name_/repo-name_/tree/master/path/"),
    ("https://github.com/user-name_/repo-name_/tree/master/path/", "/github/user-name_/repo-name_/tree/master/path/"),
    ("https://github.com/u/r/raw/ref/p.ipynb", "/github/u/r/blob/ref/p.ipynb"),
    ("https://raw.github.com/u/r/ref/p.ipynb", "/github/u/r/blob/ref/p.ipynb"),
    ("https://raw.githubusercontent.com/u/r/ref/p.ipynb", "/github/u/r/blob/ref/p.ipynb"),
    ("ipy-thon", "/github/ipy-thon/"),
    ("deadbeef", "/github/deadbeef/"),
    ("ipy-thon/ipy-thon", "/github/ipy-thon/ipy-thon/tree/HEAD/"),
    ("http://www.dropbox.com/s/bar/baz.qux", "/url/dl.dropbox.com/s/bar/baz.qux"),
    ("https://www.dropbox.com/s/bar/baz.qux", "/urls/dl.dropbox.com/s/bar/baz.qux"),
    ("https://www.dropbox.com/sh/a/b/nested/User%2520Interface.ipynb?dl=1",
     "/urls/dl.dropbox.com/sh/a/b/nested/User%2520Interface.ipynb"),
    ("https://huggingface.co/a/b/blob/main/f.ipynb", "/urls/huggingface.co/a/b/resolve/main/f.ipynb"),
    ("https://huggingface.co/spaces/a/b/blob/0f1e2d/f.ipynb", "/urls/huggingface.co/spaces/a/b/resolve/0f1e2d/f.ipynb"),
    ("https://example.org/ipynb", "/urls/example.org/ipynb"),
    ("http://example.org/ipynb", "/url/example.org/ipynb"),
    ("example.org/ipynb", "/url/example.org/ipynb"),
    ("https://gist.github.com/user/1234/raw/a1b2c3/file.ipynb?query=string&is=1",
     "/urls/gist.github.com/user/1234/raw/a1b2c3/file.ipynb/%3Fquery%3Dstring%26is%3D1"),
    ("https://github.com/user/repo/blob/deadbeef/a mřížka.ipynb", "/github/user/repo/blob/deadbeef/a mřížka.ipynb"),
    ("https://raw.githubusercontent.com/user/repo/deadbeef/a mřížka.ipynb",
     "/github/user/repo/blob/deadbeef/a mřížka.ipynb"),
    ("", "/"),
]  # fmt: skip


@pytest.mark.parametrize(("pasted", "path"), PASTED, ids=[pasted or "nothing" for pasted, _ in PASTED])
def test_pasted(pasted: str, path: str) -> None:
    assert rewrite(pasted, TABLE) == path


@pytest.mark.parametrize(("path", "location"), [("hi", "hi"), (" /#", "%20/%23"), ("ü /é#/", "%C3%BC%20/%C3%A9%23/")])
def test_quoted(path: str, location: str) -> None:
    assert quoted(path) == location


REDIRECTS = [
    ("/urls/github.com/ada/notes/blob/main/a.ipynb", f"{REPO}/blob/main/a.ipynb"),
    ("/url/github.com/ada", "/github/ada"),
    *((f"/{scheme}/{host}/ada/notes/main/a.ipynb", f"{REPO}/blob/main/a.ipynb")
      for scheme in ("url", "urls")
      for host in ("raw.github.com", "rawgithub.com", "raw.githubusercontent.com", "rawgithubusercontent.com")),
    ("/github/ada", "/github/ada/"),
    (REPO, f"{REPO}/"),
    (f"{REPO}/", f"{REPO}/tree/main/"),
    (f"{REPO}/blob/main/hello.ipynb/", f"{REPO}/blob/main/hello.ipynb"),
    (f"{REPO}/tree/main", f"{REPO}/tree/main/"),
    (f"{REPO}/tree/main/hello.ipynb/", f"{REPO}/blob/main/hello.ipynb"),
    (f"{REPO}/blob/main/deep", f"{REPO}/tree/main/deep/"),
    ("/gist/12345", "/gist/ada/12345"),
    (f"/gist/{LONG_ID}", f"/gist/anonymous/{LONG_ID}"),
    ("/12345", "/gist/12345"),
    (f"/{LONG_ID}", f"/gist/{LONG_ID}"),
    ("/12345/only.ipynb", "/gist/12345/only.ipynb"),
    ("/format/slides/github/ada", "/format/slides/github/ada/"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "location"), REDIRECTS, ids=[path for path, _ in REDIRECTS])
async def test_redirect(viewer: Nbviewer, path: str, location: str) -> None:
    assert await viewer.leads_to(path) == location


PAGES = [
    ("/", 200, "Enter the address of a notebook"),
    ("/index.html", 200, "Enter the address of a notebook"),
    ("/faq", 200, ""),
    ("/robots.txt", 200, "Crawl-delay: 10"),
    ("/nothing", 404, ""),
    ("/create", 405, ""),
    ("/create/", 405, ""),
    ("/data:image/png;base64,x", 404, ""),
    ("/github/ada/data:image/png;base64,x", 404, ""),
    ("/github/ada/", 200, 'href="/github/ada/notes/"'),
    (f"{REPO}/tree/main/", 200, 'href="/github/ada/notes/tree/v1.0/"'),
    (f"{REPO}/tree/main/", 200, 'href="/github/ada/notes/tree/feature%2Fa/"'),
    (f"{REPO}/blob/main/hello.ipynb", 200, "Hello from main"),
    (f"{REPO}/raw/main/hello.ipynb", 200, "Hello from main"),
    (f"{REPO}/blob/feature%2Fa/hello.ipynb", 200, "Hello from a feature"),
    (f"{REPO}/blob/HEAD/hello.ipynb", 200, "Hello from main"),
    (f"{REPO}/blob/main/deep/a%20m%C5%99%C3%AD%C5%BEka.ipynb", 200, "Grid"),
    ("/gist/ada/", 200, 'href="/gist/ada/12345"'),
    ("/gist/ada/12345", 200, "The only one"),
    (f"/gist/anonymous/{LONG_ID}", 200, "%C3%BCn%C3%AF.ipynb"),
    (f"/gist/anonymous/{LONG_ID}/%C3%BCn%C3%AF.ipynb", 200, "ü"),
    (f"/gist/anonymous/{LONG_ID}/files/b.ipynb", 200, ">b<"),
    (f"/gist/anonymous/{LONG_ID}/missing.ipynb", 404, ""),
    (f"/gist/anonymous/{LONG_ID}/bad.ipynb", 422, ""),
    ("/format/slides/gist/ada/777", 200, "reveal"),
    ("/format/html/gist/ada/777", 200, "Talk"),
]
IDS = [f"{path} {status} {holds}".strip() for path, status, holds in PAGES]


@pytest.mark.parametrize(("path", "status", "holds"), PAGES, ids=IDS)
async def test_page(viewer: Nbviewer, path: str, status: int, holds: str) -> None:
    answer = await viewer.get(path, follow_redirects=path == "/faq")
    assert answer.status_code == status
    assert holds in answer.text


async def test_a_script_is_plain_text(viewer: Nbviewer) -> None:
    answer = await viewer.get("/format/script/gist/ada/12345")
    assert answer.status_code == 200
    assert answer.headers["content-type"].lower() == "text/plain; charset=utf-8"


async def test_slides_are_offered_only_where_there_are_some_and_keep_their_links(viewer: Nbviewer) -> None:
    assert "/format/slides/gist/ada/777" in (await viewer.get("/gist/ada/777")).text
    assert "/format/slides/" not in (await viewer.get("/gist/ada/12345")).text
    slides = (await viewer.get("/format/slides/gist/ada/777")).text
    assert "/gist/ada/777" in slides
    assert "//gist/" not in slides


async def test_a_gist_whose_name_is_a_script_yields_no_script(viewer: Nbviewer) -> None:
    assert "<script>alert" not in (await viewer.get(f"/gist/anonymous/{LONG_ID}")).text


async def test_the_query_of_a_url_is_passed_through(viewer: Nbviewer, origin: Web) -> None:
    answer = await viewer.get(f"/url/friend.example:{origin.port}/a.ipynb/%3Fquery%3Dstring%26is%3D1")
    assert answer.status_code == 200
    assert origin.asked == [f"http://friend.example:{origin.port}/a.ipynb?query=string&is=1"]


async def test_latin_text_arrives_intact(viewer: Nbviewer, origin: Web) -> None:
    assert "Größe" in (await viewer.get(f"/url/friend.example:{origin.port}/latin.ipynb")).text


async def test_a_relative_link_of_a_notebook_leads_to_the_original(viewer: Nbviewer, origin: Web) -> None:
    host = f"friend.example:{origin.port}"
    referer = str(viewer.client.base_url.join(f"/url/{host}/a.ipynb"))
    answer = await viewer.get(f"/url/{host}/data.csv", headers={"referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (302, f"http://{host}/data.csv")


async def test_what_is_pasted_leads_to_its_page(viewer: Nbviewer) -> None:
    answer = await viewer.client.post("/create/", data={"gistnorurl": "ada/notes"})
    assert (answer.status_code, answer.headers["location"]) == (302, f"{REPO}/tree/HEAD/")


async def test_the_icon_and_static_files_are_there(viewer: Nbviewer) -> None:
    assert (await viewer.get("/favicon.ico", follow_redirects=True)).status_code == 200


async def test_an_answer_from_the_cache_has_the_headers_of_the_first(viewer: Nbviewer) -> None:
    kept = ("cache-control", "etag", "content-type", "content-security-policy", "vary")
    first, second = [await viewer.get(f"{REPO}/blob/main/hello.ipynb") for _ in range(2)]
    assert [first.headers[name] for name in kept] == [second.headers[name] for name in kept]


async def test_flushing_asks_the_source_again(viewer: Nbviewer, github: GitHub) -> None:
    page = f"{REPO}/blob/main/hello.ipynb"
    await viewer.get(page)
    github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook("# Changed")
    assert "Hello from main" in (await viewer.get(page)).text
    assert "Changed" in (await viewer.get(f"{page}?flush_cache=true")).text
