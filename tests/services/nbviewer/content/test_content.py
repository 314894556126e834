"""The content origin: another name, another application, and nothing of a notebook has an origin there."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer
from tests.services.nbviewer.sources.github_server import Gist, GitHub

CONTENT = {"host": "content.example.org"}
PLOT = {"data": [{"type": "bar", "y": [1, 2]}], "layout": {}}


def with_a_plot() -> bytes:
    """A notebook whose one output needs scripts."""
    output = {"output_type": "display_data", "metadata": {}, "data": {"application/vnd.plotly.v1+json": PLOT}}
    cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": 1, "outputs": [output]}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
async def viewer(github: GitHub, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    github.repositories["ada", "notes"].branches["main"]["plot.ipynb"] = with_a_plot()
    async with nbviewer(github.settings(), store=store, clock=clock) as made:
        yield made


async def frame_of(viewer: Nbviewer) -> str:
    """The address of the frame in the notebook with a plot, without its origin."""
    page = await viewer.get("/github/ada/notes/blob/main/plot.ipynb")
    found = re.search(r'src="https://content\.example\.org(/frame/[0-9a-f]{64})"', page.text)
    assert found is not None, page.text
    return found[1]


def directives(answer: httpx2.Response) -> dict[str, str]:
    lines = (line.strip().partition(" ") for line in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in lines}


async def test_a_frame_is_shown_on_the_content_origin_in_a_sandbox_of_its_own(viewer: Nbviewer) -> None:
    answer = await viewer.get(await frame_of(viewer), headers=CONTENT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = directives(answer)
    assert policy["sandbox"] == "allow-scripts"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"].split() == ["https://nbviewer.example.org", "https://example.org"]
    assert "https://content.example.org/lib/" in policy["script-src"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "unsafe-none"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "immutable" in answer.headers["cache-control"]


async def test_a_frame_is_sent_as_it_is_stored_or_unpacked(viewer: Nbviewer) -> None:
    path = await frame_of(viewer)
    zipped = await viewer.get(path, headers={**CONTENT, "accept-encoding": "gzip"})
    plain = await viewer.get(path, headers={**CONTENT, "accept-encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.text == plain.text


async def test_the_page_allows_frames_of_the_content_origin_and_of_no_other(viewer: Nbviewer) -> None:
    page = await viewer.get("/github/ada/notes/blob/main/plot.ipynb")
    assert directives(page)["frame-src"] == "https://content.example.org"
    assert directives(page)["frame-ancestors"] == "'none'"


async def test_every_library_that_a_frame_loads_is_there_for_a_document_without_an_origin(viewer: Nbviewer) -> None:
    document = await viewer.get(await frame_of(viewer), headers=CONTENT)
    wanted = set(re.findall(r"\.\./lib/[^\"'\s]+", document.text))
    assert wanted
    for path in wanted:
        answer = await viewer.get(path.removeprefix(".."), headers=CONTENT)
        assert answer.status_code == 200, path
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "immutable" in answer.headers["cache-control"]
        assert directives(answer)["default-src"] == "'none'"


@pytest.mark.parametrize("digest", ["0" * 64, "0" * 63, "A" * 64, "..%2f..%2fetc%2fpasswd", "x"])
async def test_a_frame_that_is_not_held_any_more_says_what_to_do(viewer: Nbviewer, digest: str) -> None:
    answer = await viewer.get(f"/frame/{digest}", headers=CONTENT)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    if "%2f" not in digest:
        assert "Reload the notebook" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/", "/sample", "/faq", "/create", "/localfile/", "/github/ada/notes/blob/main/hello.ipynb", "/static/page.css"],
)
async def test_pages_of_nbviewer_are_not_on_the_content_origin(viewer: Nbviewer, path: str) -> None:
    for host in ("content.example.org", "CONTENT.EXAMPLE.ORG:443", "content.example.org."):
        answer = await viewer.get(path, headers={"host": host})
        assert answer.status_code in (404, 405), (host, path)
        assert "sandbox" in answer.headers["content-security-policy"]


async def test_nothing_of_the_content_origin_is_under_nbviewers_name(viewer: Nbviewer) -> None:
    frame = await frame_of(viewer)
    (library,) = re.findall(r"\.\.(/lib/plotly[^\"'\s]+)", (await viewer.get(frame, headers=CONTENT)).text)[:1]
    for host in ("nbviewer.example.org", "127.0.0.1", "evil.content.example.org", "other.example"):
        for path in (frame, library):
            assert (await viewer.get(path, headers={"host": host})).status_code == 404


@pytest.mark.parametrize(
    "path", ["/lib/..%2fmanifest.json", "/lib/manifest.json", "/lib/%2e%2e/opening.py", "/lib/", "/lib", "//lib/x"]
)
async def test_only_what_the_manifest_names_is_in_the_library(viewer: Nbviewer, path: str) -> None:
    assert (await viewer.get(path, headers=CONTENT)).status_code == 404


async def test_crawlers_are_asked_to_stay_away(viewer: Nbviewer) -> None:
    assert "Disallow: /\n" in (await viewer.get("/robots.txt", headers=CONTENT)).text


PICTURES = {
    "image.png": "image/png",
    "photo.JPG": "image/jpeg",
    "moving.gif": "image/gif",
    "small.webp": "image/webp",
    "new.avif": "image/avif",
    "drawing.svg": "image/svg+xml",
}
TEXTS = (
    "README.md",
    "page.html",
    "style.css",
    "program.py",
    "script.js",
    "table.csv",
    "data.json",
    "LICENSE",
    "feed.xml",
)
OTHERS = ("archive.zip", "paper.pdf", "program.exe", "page.xhtml", "noending", "page.swf", "image.png.html.bin")


@pytest.mark.parametrize("name", [*PICTURES, *TEXTS])
async def test_pictures_and_texts_of_a_repository_are_shown_harmlessly(
    github: GitHub, viewer: Nbviewer, name: str
) -> None:
    body = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    github.repositories["ada", "notes"].branches["main"][f"deep/{name}"] = body
    moved = await viewer.leads_to(f"/github/ada/notes/raw/main/deep/{name}")
    assert moved == f"https://content.example.org/raw/github/ada/notes/raw/main/deep/{name}"
    answer = await viewer.get(moved.removeprefix("https://content.example.org"), headers=CONTENT)
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == PICTURES.get(name, "text/plain; charset=utf-8")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert policy["sandbox"] == ""
    assert "script-src" not in policy


@pytest.mark.parametrize("name", OTHERS)
async def test_any_other_file_stays_with_its_source(github: GitHub, viewer: Nbviewer, name: str) -> None:
    github.repositories["ada", "notes"].branches["main"][name] = b"bytes"
    target = f"{github.url}/raw/ada/notes/main/{name}"
    assert await viewer.leads_to(f"/github/ada/notes/blob/main/{name}") == target
    answer = await viewer.get(f"/raw/github/ada/notes/blob/main/{name}", headers=CONTENT)
    assert (answer.status_code, answer.headers["location"]) == (302, target)


async def test_a_notebook_is_a_file_to_keep_on_the_content_origin(viewer: Nbviewer) -> None:
    answer = await viewer.get("/raw/github/ada/notes/blob/main/hello.ipynb", headers=CONTENT)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/x-ipynb+json"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/raw/github/ada/notes/tree/main/",
        "/raw/github/ada/notes/",
        "/raw/github/ada/notes/blob/main/deep",
        "/raw/github/ada/notes/blob/main/missing.png",
        "/raw/github/ada/notes/blob/main/../../../../etc/passwd.txt",
        "/raw/github/ada/notes/blob/main/%2e%2e/%2e%2e/secret.txt",
        "/raw/raw/github/ada/notes/blob/main/README.md",
        "/raw//github/ada/notes/blob/main/README.md",
        "/raw/create",
        "/raw/",
        "/raw",
    ],
)
async def test_nothing_but_files_is_below_raw(viewer: Nbviewer, path: str) -> None:
    answer = await viewer.client.get(httpx2.URL(viewer.client.base_url, raw_path=path.encode()), headers=CONTENT)
    assert answer.status_code == 404, answer.headers


async def test_a_file_larger_than_the_limit_is_not_shown(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    github.repositories["ada", "notes"].branches["main"]["large.png"] = b"x" * 5000
    async with nbviewer({**github.settings(), "notebook_limit": "4 KiB"}, store=store, clock=clock) as small:
        answer = await small.get("/raw/github/ada/notes/blob/main/large.png", headers=CONTENT)
        assert answer.status_code == 413


async def test_the_files_of_a_gist_are_shown_too(github: GitHub, viewer: Nbviewer) -> None:
    github.gists["0123456789abcdef0123"] = Gist(files={"notes.txt": b"only text"}, owner="ada")
    moved = await viewer.leads_to("/gist/ada/0123456789abcdef0123/notes.txt")
    assert moved == "https://content.example.org/raw/gist/ada/0123456789abcdef0123/notes.txt"
    answer = await viewer.get(moved.removeprefix("https://content.example.org"), headers=CONTENT)
    assert (answer.text, answer.headers["content-type"]) == ("only text", "text/plain; charset=utf-8")
