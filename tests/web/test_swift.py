"""Answers that are ready: the same as the application's own, and for as long as they are fresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from amalthea.model.service import Listen
from amalthea.web.based import Based
from amalthea.web.encodings import accepted
from amalthea.web.server import serve
from amalthea.web.swift import Swift
from tests.machine import free_port


class Site:
    """An application that counts how often it is asked, and what it answers with."""

    def __init__(self) -> None:
        self.asked = 0
        self.cache_control = "public, max-age=60"
        self.vary = "accept-encoding"
        self.now = 0.0
        self.registry = CollectorRegistry()
        routes = [Route("/{page:path}", self.page, methods=["GET", "POST"])]
        self.swift = Swift(Starlette(routes=routes), memory=10_000, registry=self.registry, seconds=lambda: self.now)

    async def page(self, request: Request) -> Response:
        self.asked += 1
        flushed = "flush" in request.query_params
        encoding = accepted(request.headers.get("accept-encoding", ""))
        headers = {
            "cache-control": "no-cache" if flushed else self.cache_control,
            "etag": 'W/"1"',
            "vary": self.vary,
            "x-encoding": encoding,
        }
        return Response(f"page {request.url.path} {self.asked}", headers=headers, media_type="text/html")


@asynccontextmanager
async def asked(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    listen = Listen(http=free_port(), admin=free_port())
    task = asyncio.create_task(serve(site.swift, Starlette(), listen))
    async with (
        httpx2.AsyncClient(verify=False, base_url=f"http://127.0.0.1:{listen.http}") as client,
        asyncio.timeout(10),
    ):
        while True:
            try:
                await client.get(f"http://127.0.0.1:{listen.admin}/")
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.02)
        yield client
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_fresh_answer_is_sent_without_asking_the_application() -> None:
    site = Site()
    async with asked(site) as client:
        first, second = await client.get("/a"), await client.get("/a")
    assert site.asked == 1
    assert (second.status_code, second.content) == (200, first.content)
    names = set(first.headers) | {"age"}
    assert set(second.headers) == names
    assert all(second.headers[name] == first.headers[name] for name in names - {"age", "date"})
    assert site.registry.get_sample_value("amalthea_http_ready_total", {"status": "200"}) == 1


async def test_it_is_asked_again_when_the_answer_is_no_longer_fresh() -> None:
    site = Site()
    async with asked(site) as client:
        await client.get("/a")
        site.now = 61
        assert (await client.get("/a")).text == "page /a 2"


async def test_host_query_and_encoding_have_their_own_answers() -> None:
    site = Site()
    async with asked(site) as client:
        for _ in range(2):
            await client.get("/a")
            await client.get("/a?b")
            assert (await client.get("/a", headers={"accept-encoding": "gzip"})).headers["x-encoding"] == "gzip"
            await client.get("/a", headers={"host": "other.example"})
    assert site.asked == 4


async def test_head_and_conditions_are_answered_from_what_is_kept() -> None:
    site = Site()
    async with asked(site) as client:
        whole = await client.get("/a")
        head = await client.head("/a")
        unchanged = await client.get("/a", headers={"if-none-match": 'W/"0", W/"1"'})
        changed = await client.get("/a", headers={"if-none-match": 'W/"0"'})
    assert site.asked == 1
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert "content-length" not in unchanged.headers
    assert unchanged.headers["etag"] == 'W/"1"'
    assert changed.content == whole.content


async def test_an_answer_that_may_not_be_kept_drops_what_is_kept_for_its_path() -> None:
    site = Site()
    async with asked(site) as client:
        await client.get("/a")
        assert (await client.get("/a?flush")).text == "page /a 2"
        assert (await client.get("/a")).text == "page /a 3"


@pytest.mark.parametrize(
    "headers", [{"authorization": "Bearer x"}, {"range": "bytes=0-1"}, {"content-length": "0"}, {"connection": "close"}]
)
async def test_what_is_not_plain_goes_to_the_application(headers: dict[str, str]) -> None:
    site = Site()
    async with asked(site) as client:
        await client.get("/a")
        assert (await client.get("/a", headers=headers)).text == "page /a 2"
        assert (await client.post("/a", content=b"x" * 100_000)).text == "page /a 3"
        assert (await client.get("/a")).status_code == 200


@pytest.mark.parametrize("cache_control", ["private, max-age=60", "no-store", "public, max-age=0", ""])
async def test_only_public_answers_are_kept(cache_control: str) -> None:
    site = Site()
    site.cache_control = cache_control
    async with asked(site) as client:
        await client.get("/a")
        await client.get("/a")
    assert site.asked == 2


async def test_an_answer_that_varies_by_more_is_not_kept() -> None:
    site = Site()
    site.vary = "accept-encoding, cookie"
    async with asked(site) as client:
        await client.get("/a")
        await client.get("/a")
    assert site.asked == 2


async def test_what_is_kept_is_bounded() -> None:
    site = Site()
    async with asked(site) as client:
        for number in range(200):
            await client.get(f"/{number}")
            assert site.swift.used <= 10_000


async def test_requests_in_one_packet_are_answered_in_order() -> None:
    site = Site()
    async with asked(site) as client:
        host = client.base_url.netloc.decode()
        await client.get("/a", headers={"accept-encoding": ""})
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        asks = [f"GET /{path} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: \r\n\r\n" for path in ("a", "b", "a", "c")]
        writer.write("".join(asks).encode())
        found = b""
        async with asyncio.timeout(5):
            while found.count(b"page /") < 4:
                found += await reader.read(65536)
        writer.close()
    assert [found.index(text) for text in (b"page /a", b"page /b", b"page /c")] == sorted(
        found.index(text) for text in (b"page /a", b"page /b", b"page /c")
    )


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000, identity", "identity"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("br;q=0.2, identity;q=0.9", "identity"),
        ("GZIP ; Q=1.0", "gzip"),
        ("nogzip", "identity"),
        ("gzip;q=nonsense", "identity"),
        ("gzip," * 200, "identity"),
    ],
)
def test_the_encoding_is_the_smallest_that_the_browser_takes(header: str, encoding: str) -> None:
    assert accepted(header) == encoding


async def test_two_hosts_in_one_request_are_answered_by_the_application() -> None:
    site = Site()
    async with asked(site) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        for _ in range(2):
            writer.write(b"GET /one HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        assert site.asked == 2
        assert (await client.get("/one", headers={"host": "b.example"})).text == "page /one 3"


async def test_an_answer_is_kept_under_the_path_that_was_asked_for() -> None:
    site = Site()
    below = Swift(Based(site.swift.app, "/a/"), memory=10_000, registry=CollectorRegistry(), seconds=lambda: 0.0)
    site.swift = below
    async with asked(site) as client:
        assert (await client.get("/a/a/x")).text == "page /a/x 1"
        assert (await client.get("/a/x")).text == "page /x 2"
        assert (await client.get("/a/x")).text == "page /x 2"
        assert (await client.get("/x")).status_code == 404


async def test_long_queries_take_no_more_than_the_memory_there_is() -> None:
    site = Site()
    async with asked(site) as client:
        for number in range(20):
            await client.get(f"/one?{'x' * 3000}{number}")
            assert site.swift.used <= 10_000
        await client.get(f"/one?{'x' * 10_000}")
        await client.get(f"/one?{'x' * 10_000}")
    assert site.asked == 22
