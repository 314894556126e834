"""The front page, the paste box, small routes, and how pages travel."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import NAMES, Hand, Nbviewer, nbviewer


@pytest.fixture
async def viewer(store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    settings = {
        "subtitle": "<b>bold</b>",
        "sections": [{"header": "H & M", "links": [{"text": "<i>", "target": '/url/"onclick="x'}]}],
    }
    async with nbviewer(settings, store=store, clock=clock) as made:
        yield made


async def test_the_front_page_asks_for_an_address_and_escapes_what_is_declared(viewer: Nbviewer) -> None:
    answer = await viewer.get("/")
    assert "Enter the address of a notebook" in answer.text
    assert 'name="gistnorurl"' in answer.text
    assert "H &amp; M" in answer.text
    assert "<b>bold" not in answer.text
    assert 'onclick="' not in answer.text
    assert (await viewer.get("/index.html")).text == answer.text


PASTED = [
    ("ada/notes", "/github/ada/notes/tree/HEAD/"),
    ("https://github.com/u/r/blob/main/a mřížka.ipynb", "/github/u/r/blob/main/a%20m%C5%99%C3%AD%C5%BEka.ipynb"),
    ("https://github.com/u/r/blob/main/a.ipynb#One two", "/github/u/r/blob/main/a.ipynb#One%20two"),
    ("https://example.org/a%20b.ipynb?x=1", "/urls/example.org/a%20b.ipynb/%3Fx%3D1"),
    ("//evil.example/a", "/url///evil.example/a"),
    ("evil.example\r\nset-cookie: a=b", "/"),
    ("", "/"),
]


async def test_pasting_leads_to_a_page_of_this_server(viewer: Nbviewer) -> None:
    for pasted, location in PASTED:
        answer = await viewer.client.post("/create/", data={"gistnorurl": pasted})
        assert (answer.status_code, answer.headers["location"]) == (302, location)


async def test_a_form_without_the_field_leads_to_the_front_page(viewer: Nbviewer) -> None:
    assert (await viewer.client.post("/create", data={"other": "x"})).headers["location"] == "/"


async def test_a_form_of_many_fields_is_no_error(viewer: Nbviewer) -> None:
    body = b"&".join([b"a=b"] * 2000) + b"&gistnorurl=ada"
    assert (await viewer.client.post("/create", content=body)).headers["location"] == "/github/ada/"


async def test_far_too_much_pasted_is_refused(viewer: Nbviewer) -> None:
    assert (await viewer.client.post("/create", content=b"gistnorurl=" + b"x" * 20_000)).status_code == 413


async def test_create_is_only_for_forms(viewer: Nbviewer) -> None:
    assert (await viewer.get("/create")).status_code == 405


async def test_the_sample_is_rendered(viewer: Nbviewer) -> None:
    answer = await viewer.get("/sample")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


async def test_crawlers_are_asked_to_be_slow(viewer: Nbviewer) -> None:
    answer = await viewer.get("/robots.txt")
    assert "Crawl-delay: 10" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("services", [(), ("nbviewer",), ("nbviewer", "status")])
async def test_a_page_leads_to_the_status_page_where_there_is_one(
    services: tuple[str, ...], store: MemoryStore, clock: Hand
) -> None:
    names = msgspec.structs.replace(NAMES, services=services)
    async with nbviewer({}, store=store, clock=clock, names=names) as viewer:
        assert ("https://status.example.org" in (await viewer.get("/")).text) == ("status" in services)


async def test_the_icon_is_found_under_its_old_name(viewer: Nbviewer) -> None:
    icon = await viewer.get("/favicon.ico", follow_redirects=True)
    assert icon.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/data:image/png;base64,x", "/nothing", "/github/a/b/c/d/data:image/png;base64,x"])
async def test_an_unknown_path_is_a_404_page(viewer: Nbviewer, path: str) -> None:
    assert (await viewer.get(path)).status_code == 404


async def test_a_page_is_sent_as_it_is_kept_and_unpacked_for_those_who_ask(viewer: Nbviewer) -> None:
    packed = await viewer.get("/sample", headers={"accept-encoding": "gzip"})
    plain = await viewer.get("/sample", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])


async def test_a_browser_that_has_the_page_gets_a_304(viewer: Nbviewer) -> None:
    first = await viewer.get("/sample")
    for tag in (first.headers["etag"], f'"other", {first.headers["etag"]}', "*"):
        again = await viewer.get("/sample", headers={"if-none-match": tag})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert (await viewer.get("/sample", headers={"if-none-match": '"other"'})).status_code == 200


async def test_head_tells_the_same_without_a_body(viewer: Nbviewer) -> None:
    full, head = await viewer.get("/sample"), await viewer.client.head("/sample")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == full.headers["etag"]
    assert head.headers["content-length"] == full.headers["content-length"]


async def test_every_page_carries_the_headers_that_keep_it_safe(viewer: Nbviewer) -> None:
    for path in ("/", "/sample", "/nothing"):
        headers = (await viewer.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-amalthea-site"] == "north"


async def test_it_is_ready_when_the_sample_renders(viewer: Nbviewer) -> None:
    assert await viewer.ready() == ""
