"""A file from the visitor's machine: shown once, kept nowhere, and taken from our own page only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from amalthea.services.nbviewer.errors import Busy
from amalthea.services.nbviewer.pages.uploading import Room, uploaded
from amalthea.store.memory import MemoryStore
from amalthea.web.application import PageError
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook

OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def viewer(store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    async with nbviewer({"notebook_limit": "1 MiB"}, store=store, clock=clock) as made:
        yield made


async def send(viewer: Nbviewer, body: bytes, *, name: str = "a.ipynb", headers: Any = OWN) -> httpx2.Response:
    return await viewer.client.post("/upload", files={"notebook": (name, body)}, headers=headers)


async def test_a_file_is_shown_once_and_kept_nowhere(viewer: Nbviewer, store: MemoryStore) -> None:
    before = [found.key async for found in store.list("")]
    answer = await send(viewer, notebook("# Hello from here"))
    assert answer.status_code == 200
    assert "Hello from here" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert [found.key async for found in store.list("")] == before


async def test_its_name_is_a_strangers_text(viewer: Nbviewer) -> None:
    answer = await send(viewer, notebook("x"), name="../../etc/<script>alert(1)</script>.ipynb")
    assert "<script>alert" not in answer.text
    assert "../" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"},
     {"origin": "null"}],
)  # fmt: skip
async def test_other_sites_cannot_send_one(viewer: Nbviewer, headers: dict[str, str]) -> None:
    assert (await send(viewer, notebook("x"), headers=headers)).status_code == 403


async def test_a_browser_without_the_newer_header_can(viewer: Nbviewer) -> None:
    host = viewer.client.base_url.netloc.decode()
    assert (await send(viewer, notebook("x"), headers={"origin": f"http://{host}"})).status_code == 200


async def test_too_large_a_file_is_refused_while_it_comes(viewer: Nbviewer) -> None:
    try:
        answer = await send(viewer, b"y" * 4_000_000)
    except httpx2.HTTPError:
        return  # the connection was closed on us, which is as good
    assert answer.status_code == 413


async def test_what_is_no_notebook_or_no_file_is_said(viewer: Nbviewer) -> None:
    assert (await send(viewer, b"<html>")).status_code == 422
    assert (await send(viewer, b"")).status_code == 400
    assert (await viewer.client.post("/upload", data={"notebook": "x"}, headers=OWN)).status_code == 415
    assert (await viewer.client.post("/upload", files={"other": ("a", b"x")}, headers=OWN)).status_code == 400


async def test_visiting_leads_to_where_a_file_can_be_chosen(viewer: Nbviewer) -> None:
    answer = await viewer.get("/upload")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'action="/upload"' in (await viewer.get("/")).text


async def parsed(body: bytes) -> bytes:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}
    return (await uploaded(Request(scope, receive), 1000, Room(100_000).part())).body


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_bytes_are_a_file_or_a_clear_error(body: bytes) -> None:
    for form in (body, b'--x\r\ncontent-disposition: form-data; name="notebook"; filename="a"\r\n\r\n' + body):
        with suppress(PageError):
            await parsed(form)
    whole = b'--x\r\ncontent-disposition: form-data; name="notebook"; filename="a"\r\n\r\n' + body + b"\r\n--x--\r\n"
    if body and b"--x" not in body and b"\r" not in body:
        assert await parsed(whole) == body


async def test_files_count_as_new_work_of_their_network(store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({"rate_limit": 1}, store=store, clock=clock) as viewer:
        crawler = {**OWN, "x-forwarded-for": "203.0.113.5"}
        answers = [await send(viewer, notebook("x"), headers=crawler) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert "retry-after" in answers[-1].headers
        assert (await send(viewer, notebook("x"))).status_code == 200


def test_files_on_their_way_share_the_room_there_is() -> None:
    room = Room(100)
    with room.part() as one, room.part() as other:
        one.take(60)
        with pytest.raises(Busy):
            other.take(60)
        other.take(40)
    assert room.left == 100
