"""Requests that hope to be read in one way here and in another by the host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from amalthea.services.tmpnb.egress.records import Verdict
from tests.services.tmpnb.egress.origin import Origin, running
from tests.services.tmpnb.egress.session import Session, closed, here, session


@pytest.fixture
async def index() -> AsyncIterator[Origin]:
    async with running(Origin()) as made:
        yield made


@pytest.fixture
async def ada(index: Origin) -> AsyncIterator[Session]:
    settings = {"hosts": [f"index.example:{index.port}"], "header_size": "4 KiB"}
    async with session(settings, resolve=here) as made:
        yield made


@pytest.fixture
async def hurried(index: Origin) -> AsyncIterator[Session]:
    """A session that has little time to say what it wants."""
    settings = {"hosts": [f"index.example:{index.port}"], "header_timeout": "300 ms"}
    async with session(settings, resolve=here) as made:
        yield made


ATTEMPTS = {
    "two hosts": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\nHost: evil.example\r\n\r\n",
    "another host": "GET http://{h}/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "no host": "GET http://{h}/ HTTP/1.1\r\n\r\n",
    "another host for a tunnel": "CONNECT {h} HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "a line in the target": "GET http://{h}/\r\nX: HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "a request in the target": "GET http://{h}/ HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "a bare newline in the target": "GET http://{h}/\nHost: evil.example HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "a bare return in a value": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\nX: a\rHost: evil.example\r\n\r\n",
    "a folded line": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\nX: a\r\n Host: evil.example\r\n\r\n",
    "a space before the colon": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\nHost : evil.example\r\n\r\n",
    "newlines alone": "GET http://{h}/ HTTP/1.1\nHost: {h}\n\n",
    "a user in the host": "GET http://{h}@evil.example/ HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "two lengths": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n"
    "GET /b HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "a body in chunks": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a second request at once": "GET http://{h}/ HTTP/1.1\r\nHost: {h}\r\n\r\n"
    "GET http://{h}/b HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "no proxy request": "GET / HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "an old version": "GET http://{h}/\r\n\r\n",
    "a newer version": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_it_is_refused_and_nothing_reaches_the_host(ada: Session, index: Origin, attempt: str) -> None:
    answer = await ada.ask(ATTEMPTS[attempt].replace("{h}", f"index.example:{index.port}").encode())
    assert answer.startswith(b"HTTP/1.1 400 "), attempt
    assert answer.count(b"HTTP/1.1 4") == 1
    assert await ada.ended() == [Verdict.MALFORMED]
    assert index.accepted == 0


async def test_a_header_that_is_named_for_this_hop_cannot_take_the_host_away(ada: Session, index: Origin) -> None:
    host = f"index.example:{index.port}"
    request = f"GET http://{host}/a HTTP/1.1\r\nHost: {host}\r\nConnection: Host, X-Secret\r\nX-Secret: 1\r\n\r\n"
    assert b" 200 " in await ada.ask(request.encode())
    assert index.received == [
        f"GET /a HTTP/1.1\r\nHost: {host}\r\nVia: 1.1 amalthea\r\nConnection: close\r\n\r\n".encode()
    ]


async def test_a_second_request_that_comes_later_goes_nowhere(ada: Session, index: Origin) -> None:
    host = f"index.example:{index.port}"
    reader, writer = await ada.open()
    writer.write(f"GET http://{host}/?size=9000000 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    await reader.readexactly(100)
    writer.write(f"GET http://{host}/b HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    await closed(writer)
    assert await ada.ended() == [Verdict.BROKEN]
    assert len(index.received) == 1


async def test_a_giant_head_is_cut_off_at_its_limit(ada: Session, index: Origin) -> None:
    host = f"index.example:{index.port}"
    answer = await ada.ask(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nX: {'a' * 100_000}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert (await ada.ask(b"G" * 5000)).startswith(b"HTTP/1.1 431 ")
    assert await ada.ended() == [Verdict.LARGE] * 2
    assert index.accepted == 0


async def test_a_head_that_comes_a_byte_at_a_time_is_given_up_in_time(hurried: Session) -> None:
    reader, writer = await hurried.open()

    async def drip() -> None:
        for byte in b"GET http://index.example/" + b"a" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    answer = await asyncio.wait_for(reader.read(), 15)
    dripping.cancel()
    await closed(writer)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert await hurried.ended() == [Verdict.SLOW]


async def test_a_connection_in_which_nothing_is_said_is_given_up_in_time(hurried: Session) -> None:
    assert (await hurried.ask(b"")).startswith(b"HTTP/1.1 408 ")
