"""WebSockets go through as they are, and whoever asks for one gets nothing else by it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from tests.services.tmpnb.plain_server import Line, PlainServer
from tests.services.tmpnb.plain_socket import Socket
from tests.services.tmpnb.site import Found, Site, eventually

MIB = 1 << 20


@pytest.fixture
async def session(site: Site) -> Found:
    return await site.start()


@pytest.fixture
def server(site: Site, session: Found) -> PlainServer:
    return site.server(session)


def asking(session: Found, path: str = "echo", more: str = "") -> bytes:
    """The head of a request for a WebSocket."""
    lines = [f"GET {session.base}{path} HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *filter(None, [more])]
    return "\r\n".join([*lines, "", ""]).encode()


async def raw(site: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = urlsplit(site.url).netloc.partition(":")
    return await asyncio.open_connection(host, int(port))


async def test_what_is_said_goes_through_both_ways(site: Site, session: Found) -> None:
    async with site.socket(session) as tab:
        for message in ("hello", b"\0\xff", "", "ü" * 1000):
            await tab.send(message)
            assert await tab.recv() == message
        await tab.ping()


async def test_big_messages_go_through_whole_and_in_fragments(site: Site, session: Found) -> None:
    message = secrets.token_bytes(8 * MIB)
    async with site.socket(session) as tab:
        await tab.send(message)
        echoed = await tab.recv()
        assert isinstance(echoed, bytes)
        assert hashlib.sha256(echoed).digest() == hashlib.sha256(message).digest()
        await tab.send([b"a" * MIB, b"b" * MIB, b"c"])
        assert await tab.recv() == b"a" * MIB + b"b" * MIB + b"c"


async def test_many_tabs_are_not_confused(site: Site, session: Found) -> None:
    other = await site.start(site.browser())

    async def tab(which: Found, number: int) -> None:
        async with site.socket(which) as opened:
            for turn in range(20):
                await opened.send(f"{number} {turn}")
                assert await opened.recv() == f"{number} {turn}"

    await asyncio.gather(*(tab(session if number % 2 else other, number) for number in range(20)))
    assert site.server(other).paths().count("echo") == 10


async def test_a_visitor_who_leaves_closes_it_at_the_server(site: Site, session: Found, server: PlainServer) -> None:
    for leave in ("close", "abort"):
        async with site.socket(session) as tab:
            await tab.send("x")
            await tab.recv()
            assert server.connections == 1
            if leave == "abort":
                tab.transport.abort()
        await eventually(lambda: server.connections == 0)
    await eventually(lambda: not site.opened.tunnels.open)


async def test_a_server_that_says_goodbye_is_heard(site: Site, session: Found) -> None:
    async with site.socket(session) as tab:
        await tab.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            await tab.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (CloseCode.NORMAL_CLOSURE, "goodbye")


async def test_a_visitor_who_does_not_read_slows_the_server_down_and_nothing_piles_up(
    site: Site, session: Found, server: PlainServer
) -> None:
    sent = 0

    async def flood(line: Line) -> None:
        nonlocal sent
        socket = Socket(line)
        await socket.accept()
        while sent < 300:
            await socket.send(bytes(MIB))
            sent += 1

    server.answers["flood"] = flood
    async with site.socket(session, "flood", max_queue=1) as tab:
        await eventually(lambda: sent > 0)
        before, same = sent, 0
        while same < 20:
            await asyncio.sleep(0.01)
            before, same = sent, same + 1 if sent == before else 0
        assert sent < 100
        stopped = sent
        for _ in range(stopped + 10):
            assert len(await tab.recv()) == MIB
        assert sent > stopped
        tab.transport.abort()


async def test_a_server_that_does_not_read_slows_the_visitor_down(
    site: Site, session: Found, server: PlainServer
) -> None:
    read = asyncio.Event()

    async def deaf(line: Line) -> None:
        socket = Socket(line)
        await socket.accept()
        await read.wait()
        async for frame in socket.frames():
            await socket.send(b"%d" % len(frame.data))

    server.answers["deaf"] = deaf
    async with site.socket(session, "deaf") as tab:
        sending = asyncio.create_task(tab.send(bytes(100 * MIB)))
        await asyncio.sleep(0.2)
        assert not sending.done()
        for opened in site.opened.tunnels.open:
            assert opened.other is not None
            assert opened.other.transport is not None
            assert opened.other.transport.get_write_buffer_size() < 2 * MIB
        read.set()
        await sending
        assert await tab.recv() == b"%d" % (100 * MIB)


async def test_the_server_is_told_what_the_visitor_asked_and_none_of_our_cookies(
    site: Site, session: Found, server: PlainServer
) -> None:
    headers = {
        "Cookie": f"tmpnb-session={session.token}; theirs=1; tmpnb-sessions=x:y",
        "Origin": "https://page.example",
        "X-Amalthea-Site": "north",
    }
    protocols = [Subprotocol("v1.kernel.websocket.jupyter.org")]
    async with site.socket(session, "echo?session_id=a%20b", additional_headers=headers):
        asked = server.last("echo")
    assert asked.target == f"{session.base}echo?session_id=a%20b"
    assert asked.header("cookie") == "theirs=1"
    assert asked.header("origin") == "https://page.example"
    assert asked.header("x-amalthea-site") == ""
    assert asked.header("connection").lower() == "upgrade"
    assert asked.header("host") == urlsplit(site.url).netloc
    async with site.socket(session, subprotocols=protocols):
        assert server.last("echo").header("sec-websocket-protocol") == protocols[0]


async def test_what_would_reach_beyond_the_session_is_left_out_of_a_yes_too(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def yes(line: Line) -> None:
        headers = (("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=1; Domain=example.org"), ("Clear-Site-Data", '"*"'))
        await Socket(line).accept((*headers, ("Set-Cookie", "tmpnb-sessions=x")))

    server.answers["yes"] = yes
    async with site.socket(session, "yes") as tab:
        assert tab.response is not None
        assert tab.response.headers.get_all("set-cookie") == [f"a=1; Path={session.base}"]
        assert "clear-site-data" not in tab.response.headers


async def test_a_websocket_to_a_session_that_there_is_not_is_refused(site: Site, session: Found) -> None:
    base = f"ws://{urlsplit(site.url).netloc}"
    for path in ("/user/abcdefgh-north/echo", "/", "/lab", "/user/", f"/user/{session.name}x/echo", "/wait/x/events"):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(base + path, proxy=None):
                pass
        assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nSet-Cookie: a=1; Path=/\r\n\r\nwhy", b"403 Forbidden"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"200 OK"),
        (b"HTTP/1.1 302 Found\r\nLocation: //evil.example\r\n\r\n", b"302 Found"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"502 Bad Gateway"),
        (b"nonsense\r\n\r\n", b"502 Bad Gateway"),
        (b"HTTP/1.1 403 \x01\r\n\r\n", b"502 Bad Gateway"),
        (b"HTTP/1.1 101 Yes\r\nX: " + b"y" * 100_000, b"502 Bad Gateway"),
        (b"", b"502 Bad Gateway"),
    ],
)
async def test_a_no_is_all_that_its_server_gets_to_say_on_that_connection(
    site: Site, session: Found, server: PlainServer, said: bytes, status: bytes
) -> None:
    """Else the requests that a proxy in front sends on it, of whoever, would be that server's to read and answer."""
    heard = bytearray()

    async def no(line: Line) -> None:
        await line.write(said)
        if said:
            heard.extend(await line.reader.read())
        line.break_off()

    server.answers["no"] = no
    reader, writer = await raw(site)
    writer.write(asking(session, "no") + b"GET /another HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert answer == b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
    await eventually(lambda: server.connections == 0)
    assert b"another" not in heard


async def test_a_server_that_is_gone_is_a_bad_gateway(site: Site, session: Found) -> None:
    site.spawner.socket_path(session.name).unlink()
    with pytest.raises(InvalidStatus) as refused:
        async with site.socket(session):
            pass
    assert refused.value.response.status_code == 502


async def test_a_visitor_who_leaves_before_there_is_an_answer_leaves_nothing(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def late(line: Line) -> None:
        assert await line.reader.read() == b""
        line.break_off()

    server.answers["late"] = late
    _, writer = await raw(site)
    writer.write(asking(session, "late"))
    await eventually(lambda: server.connections == 1)
    writer.close()
    await eventually(lambda: server.connections == 0 and not site.opened.tunnels.open)


async def test_the_end_of_a_session_reaches_a_visitor_who_does_not_read(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def flood(line: Line) -> None:
        socket = Socket(line)
        await socket.accept()
        while True:
            await socket.send(bytes(MIB))

    server.answers["flood"] = flood
    reader, writer = await raw(site)
    writer.write(asking(session, "flood"))
    await reader.read(10)
    await asyncio.sleep(0.1)
    site.opened.tunnels.linger = 0.1
    await site.sessions.end(session.name, "", reason="operator")
    await eventually(lambda: not site.opened.tunnels.open)
    writer.close()


async def test_closing_all_tunnels_closes_them(site: Site, session: Found) -> None:
    async with site.socket(session) as tab:
        site.opened.tunnels.close()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(tab.recv(), 20)
