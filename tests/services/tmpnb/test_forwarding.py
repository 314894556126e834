"""Requests go through to a session's server and back, piece by piece, and nothing that is strange there breaks here."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.services.tmpnb.plain_server import Line, PlainServer
from tests.services.tmpnb.site import HTML, Found, Site, eventually

MIB = 1 << 20


@pytest.fixture
async def session(site: Site) -> Found:
    return await site.start()


@pytest.fixture
def server(site: Site, session: Found) -> PlainServer:
    return site.server(session)


async def digest(line: Line) -> None:
    asked = line.asked
    await line.json({"size": len(asked.body), "sha": hashlib.sha256(asked.body).hexdigest(), "method": asked.method})


async def raw(site: Site, request: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which that was asked."""
    host, _, port = urlsplit(site.url).netloc.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.replace("\n", "\r\n").encode())
    return reader, writer


async def test_the_target_arrives_as_it_was_written(site: Site, session: Found, server: PlainServer) -> None:
    for target in ("api/contents/a%20b%2Fc%3F.txt?x=1%262&y=%C3%BC&z", "x//y/./%2e", "x?", "%25%2525"):
        reader, writer = await raw(site, f"GET {session.base}{target} HTTP/1.1\nHost: a\nConnection: close\n\n")
        await reader.read()
        writer.close()
        assert server.asked[-1].target == session.base + target.removesuffix("?")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_arrives_with_its_body(site: Site, session: Found, server: PlainServer, method: str) -> None:
    server.answers["x"] = digest
    answer = await site.client.request(method, f"{session.base}x", content=b"body")
    assert answer.json() == {"size": 4, "sha": hashlib.sha256(b"body").hexdigest(), "method": method}


async def test_an_upload_whose_length_nobody_knows_arrives_whole(
    site: Site, session: Found, server: PlainServer
) -> None:
    server.answers["x"] = digest

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number * 1000

    answer = await site.client.put(f"{session.base}x", content=pieces())
    assert answer.status_code == 200
    assert answer.json()["size"] == 5000


async def test_large_bodies_go_through_both_ways(site: Site, session: Found, server: PlainServer) -> None:
    server.answers["up"] = digest
    server.answers["down"] = lambda line: line.answer(200, b"ab" * (10 * MIB))
    body = b"0123456789abcdef" * MIB
    answer = await site.client.put(f"{session.base}up", content=body)
    assert answer.json()["sha"] == hashlib.sha256(body).hexdigest()
    down = await site.get(f"{session.base}down")
    assert len(down.content) == 20 * MIB


async def test_an_answer_goes_on_piece_by_piece_as_it_comes(site: Site, session: Found, server: PlainServer) -> None:
    more = asyncio.Event()

    async def stream(line: Line) -> None:
        line.begin(200, (("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")))
        await line.chunk(b"first")
        await more.wait()
        await line.chunk(b"second")
        await line.chunk(b"")

    server.answers["stream"] = stream
    async with site.client.stream("GET", f"{session.base}stream") as answer:
        pieces = answer.aiter_raw()
        assert await asyncio.wait_for(anext(pieces), 20) == b"first"
        more.set()
        assert b"".join([piece async for piece in pieces]) == b"second"


async def test_an_upload_goes_on_piece_by_piece_as_it_comes(site: Site, session: Found, server: PlainServer) -> None:
    seen = asyncio.Event()
    head = f"PUT {session.base}never HTTP/1.1\nHost: a\nContent-Length: 1000000\n\n"

    async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(3)
        seen.set()
        await reader.read()
        writer.close()

    server.replace(reads)
    _, writer = await raw(site, head)
    writer.write(b"abc")
    await asyncio.wait_for(seen.wait(), 20)
    writer.close()


async def test_an_upload_that_its_sender_breaks_off_does_not_arrive_and_nothing_is_left_of_it(
    site: Site, session: Found, server: PlainServer
) -> None:
    server.answers["x"] = digest
    _, writer = await raw(site, f"PUT {session.base}x HTTP/1.1\nHost: a\nContent-Length: 1000\n\nabc")
    await eventually(lambda: server.connections == 1)
    writer.close()
    await eventually(lambda: server.connections == 0)
    assert "x" not in server.paths()
    assert (await site.client.put(f"{session.base}x", content=b"1")).status_code == 200


async def test_a_visitor_who_leaves_in_the_middle_of_an_endless_answer_ends_it(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def endless(line: Line) -> None:
        line.begin(200, (("Transfer-Encoding", "chunked"),))
        while True:
            await line.chunk(bytes(10_000))
            await asyncio.sleep(0.001)

    server.answers["endless"] = endless
    for _ in range(3):
        async with site.browser().stream("GET", f"{session.base}endless") as answer:
            await anext(answer.aiter_raw())
    await eventually(lambda: server.connections == 0)


async def test_a_visitor_who_leaves_while_nothing_is_answered_ends_that_too(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def hang(line: Line) -> None:
        assert await line.reader.read() == b""
        line.break_off()

    server.answers["hang"] = hang
    for body in (None, b"body"):
        asking = asyncio.create_task(site.browser().request("POST", f"{session.base}hang", content=body))
        await eventually(lambda: "hang" in server.paths())
        asking.cancel()
        await eventually(lambda: server.connections == 0)
        server.asked.clear()


async def test_a_slow_reader_slows_the_server_down(site: Site, session: Found, server: PlainServer) -> None:
    sent = 0

    async def flood(line: Line) -> None:
        nonlocal sent
        line.begin(200, (("Transfer-Encoding", "chunked"),))
        while sent < 200 * MIB:
            await line.chunk(bytes(MIB))
            sent += MIB
        await line.chunk(b"")

    server.answers["flood"] = flood
    _, writer = await raw(site, f"GET {session.base}flood HTTP/1.1\nHost: a\n\n")
    await eventually(lambda: sent > 0)
    await _at_rest(lambda: sent)
    assert sent < 100 * MIB
    writer.close()


async def _at_rest(measure: object) -> None:
    assert callable(measure)
    before, same = measure(), 0
    while same < 20:
        await asyncio.sleep(0.01)
        same = same + 1 if measure() == before else 0
        before = measure()


async def test_a_head_has_the_head_of_a_get_and_no_body(site: Site, session: Found, server: PlainServer) -> None:
    server.answers["x"] = lambda line: line.answer(200, b"12345", (("X-Own", "1"),))
    answer = await site.client.head(f"{session.base}x")
    assert (answer.headers["content-length"], answer.headers["x-own"], answer.content) == ("5", "1", b"")
    assert (await site.get(f"{session.base}x")).content == b"12345"


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("length", [True, False])
async def test_an_answer_without_a_body_is_passed_on(
    site: Site, session: Found, server: PlainServer, status: int, length: bool
) -> None:
    async def answer(line: Line) -> None:
        line.begin(status, (("ETag", '"1"'), *((("Content-Length", 7),) if length and status == 304 else ())))

    server.answers["x"] = answer
    reader, writer = await raw(site, f"GET {session.base}x HTTP/1.1\nHost: a\n\n" * 3)
    for _ in range(3):  # the connection goes on
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert head.startswith(b"HTTP/1.1 %d" % status)
        assert b'etag: "1"\r\n' in head
    writer.close()


async def test_an_answer_that_breaks_off_breaks_off(site: Site, session: Found, server: PlainServer) -> None:
    async def broken(line: Line) -> None:
        line.begin(200, (("Content-Length", 1000),))
        await line.write(b"0123456789")
        line.break_off()

    async def chunks(line: Line) -> None:
        line.begin(200, (("Transfer-Encoding", "chunked"),))
        await line.chunk(b"0123456789")
        line.break_off()

    server.answers |= {"broken": broken, "chunks": chunks}
    for path in ("broken", "chunks"):
        with pytest.raises(httpx2.RemoteProtocolError):
            await site.get(session.base + path)
    assert (await site.get(f"{session.base}lab", headers=session.authorized)).status_code == 200


NONSENSE = [
    b"",
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
]


async def test_a_server_that_lives_and_answers_nonsense_is_one_clear_page_and_not_the_end(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def nonsense(line: Line) -> None:
        await line.write(NONSENSE[int(line.asked.path)])
        line.break_off()

    server.answers |= {str(number): nonsense for number in range(len(NONSENSE))}
    asking = (site.get(session.base + path, headers=HTML) for path in server.answers if path.isdigit())
    for page in await asyncio.gather(*asking):
        assert (page.status_code, "does not answer" in page.text) == (502, True)
        assert "session has ended" not in page.text
    assert site.sessions.get(session.name) is not None


async def test_a_server_that_died_just_now_is_the_page_of_a_session_that_ended(site: Site, session: Found) -> None:
    asking = asyncio.create_task(site.get(f"{session.base}lab", headers=HTML))
    await site.spawner.end(session.name, "It died.")
    await asking
    page = await site.get(f"{session.base}lab", headers=HTML)
    assert "It died." in page.text


async def test_a_server_that_answers_before_the_upload_is_over_is_heard(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server.replace(early)
    answer = await site.client.put(f"{session.base}x", content=bytes(100))
    assert answer.status_code == 413


async def test_what_expects_to_be_told_to_go_on_is_told_so(site: Site, session: Found, server: PlainServer) -> None:
    server.answers["x"] = digest
    head = f"PUT {session.base}x HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-continue\nConnection: close\n\n"
    reader, writer = await raw(site, head)
    assert b"100 Continue" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    writer.write(b"abc")
    answer = await reader.read()
    writer.close()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["size"] == 3
    assert server.last("x").header("expect") == ""


async def test_the_token_in_an_address_survives_a_missing_slash(site: Site, session: Found) -> None:
    answer = await site.get(f"/user/{session.name}?token={session.token}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{session.base}?token={session.token}")


async def test_a_session_of_which_there_is_none_is_not_asked(site: Site, server: PlainServer) -> None:
    for path in ("/user/abcdefgh-north/api", "/user/", "/user/%2e%2e/api", "/user//api"):
        assert (await site.get(path, headers=HTML)).status_code == 404
    assert not server.asked
