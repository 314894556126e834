"""What passes: clients of today through the proxy, both ways, and to the end."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest

from amalthea.services.tmpnb.egress.records import Connection, Verdict
from tests.services.tmpnb.egress.origin import HERE, Origin, contexts, running
from tests.services.tmpnb.egress.session import NAME, OPENED, Session, closed, here, session
from tests.services.tmpnb.egress.test_hello import hello, record, spoken


@pytest.fixture
async def secure() -> AsyncIterator[Origin]:
    async with running(Origin(), tls=contexts()[0]) as made:
        yield made


@pytest.fixture
async def plain() -> AsyncIterator[Origin]:
    async with running(Origin()) as made:
        yield made


@pytest.fixture
async def ada(secure: Origin, plain: Origin) -> AsyncIterator[Session]:
    """Her session may reach both origins; the port of the first is for TLS alone."""
    hosts = [f"cdn.example:{secure.port}", f"index.example:{plain.port}"]
    settings = {"hosts": hosts, "tls_ports": [secure.port], "header_timeout": "5 s"}
    async with session(settings, resolve=here, contact="ops@example.org") as made:
        yield made


async def test_a_client_gets_pages_by_https_through_a_tunnel_and_the_certificate_is_the_hosts_own(
    ada: Session, secure: Origin
) -> None:
    async with ada.client() as client:
        for size in (5, 300_000):
            answer = await client.get(f"https://cdn.example:{secure.port}/a?size={size}")
            assert answer.content == b"x" * size
    assert secure.accepted == 1
    assert b"GET /a?size=5 HTTP/1.1" in secure.received[0]


async def test_a_client_gets_pages_by_plain_http_one_connection_each(ada: Session, plain: Origin) -> None:
    async with ada.client() as client:
        for size in (5, 300_000):
            answer = await client.get(f"http://index.example:{plain.port}/a?size={size}")
            assert answer.content == b"x" * size
        assert (await client.head(f"http://index.example:{plain.port}/")).status_code == 200
    assert plain.accepted == 3
    assert await ada.ended() == [Verdict.DONE] * 3


async def test_a_host_that_speaks_first_is_reached_at_a_port_of_its_own() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n")
        writer.write(b"you said " + await reader.readline())
        await writer.drain()

    async with (
        running(Origin(greet)) as origin,
        session({"hosts": [f"git.example:{origin.port}"]}, resolve=here) as ada,
    ):
        reader, writer = await ada.tunnel(f"git.example:{origin.port}")
        assert await reader.readline() == b"hello\r\n"
        writer.write(b"thanks\n")
        assert await reader.read() == b"you said thanks\n"
        await closed(writer)


async def test_one_side_may_end_while_the_other_goes_on_talking() -> None:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        whole = await reader.read()
        writer.write(f"{len(whole)}".encode())
        await writer.drain()

    async with (
        running(Origin(count)) as origin,
        session({"hosts": [f"git.example:{origin.port}"]}, resolve=here) as ada,
    ):
        reader, writer = await ada.tunnel(f"git.example:{origin.port}")
        writer.write(b"x" * 1_000_000)
        writer.write_eof()
        assert await reader.read() == b"1000000"
        await closed(writer)
        assert await ada.ended() == [Verdict.DONE]
        assert (ada.connections[0].up, ada.connections[0].down) == (1_000_000, 7)


async def test_a_host_that_sends_faster_than_the_session_takes_is_held_back() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readline()
        while sent < 200 * 2**20:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    settings = {"burst": "1 GiB", "rate": "1 GiB"}
    async with (
        running(Origin(flood)) as origin,
        session({"hosts": [f"git.example:{origin.port}"], **settings}, resolve=here) as ada,
    ):
        slow = socket.create_connection(("127.0.0.1", ada.port))
        target = f"git.example:{origin.port}".encode()
        slow.sendall(b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\ngo\n")
        before = -1
        while before != sent or not sent:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 50 * 2**20
        slow.close()
        assert await ada.ended() == [Verdict.BROKEN]


async def test_a_hello_in_single_bytes_and_many_records_is_passed_on_as_it_came(ada: Session, secure: Origin) -> None:
    """OpenSSL takes it as well: what the origin answers is a hello of its own."""
    message = spoken("cdn.example")[5:]
    whole = b"".join(record(message[at : at + 40]) for at in range(0, len(message), 40))
    reader, writer = await ada.tunnel(f"cdn.example:{secure.port}")
    for byte in whole:
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await reader.readexactly(6))[::5] == b"\x16\x02"
    await closed(writer)


async def test_a_hello_that_comes_with_the_request_is_not_lost(ada: Session, secure: Origin) -> None:
    reader, writer = await ada.open()
    target = f"cdn.example:{secure.port}".encode()
    writer.write(b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\n" + spoken("cdn.example"))
    assert (await reader.readexactly(len(OPENED) + 1))[-1:] == b"\x16"
    await closed(writer)


async def test_an_address_of_an_allowed_network_is_reached_without_a_name_and_tls_has_none_then() -> None:
    async with running(Origin(), tls=contexts()[0]) as origin:
        settings = {"hosts": [f"{HERE}:{origin.port}"], "tls_ports": [origin.port]}
        async with session(settings, resolve=here) as ada:
            reader, writer = await ada.tunnel(f"{HERE}:{origin.port}")
            writer.write(spoken(None))
            assert await reader.readexactly(1) == b"\x16"
            await closed(writer)
            reader, writer = await ada.tunnel(f"{HERE}:{origin.port}")
            writer.write(hello())
            await reader.read()
            await closed(writer)
            reader, writer = await ada.tunnel(f"{HERE}:{origin.port}")
            writer.write(spoken("cdn.example"))
            assert (await reader.read())[:1] == b"\x15"
            await closed(writer)


async def test_each_connection_is_one_line_of_the_log_and_kept_and_counted(
    ada: Session, plain: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "amalthea.services.tmpnb.egress"):
        async with ada.client() as client:
            await client.get(f"http://index.example:{plain.port}/a")
            await client.get("http://evil.example/")
        await ada.until(lambda: len(caplog.messages) == 2)
    logged = [msgspec.json.decode(line, type=Connection) for line in caplog.messages]
    assert logged == list(ada.connections)
    done, refused = logged
    assert (done.session, done.method, done.host, done.port) == (NAME, "GET", "index.example", plain.port)
    assert (done.verdict, refused.verdict, refused.host) == (Verdict.DONE, Verdict.HOST, "evil.example")
    assert done.up > 50 < done.down
    assert done.seconds >= 0
    assert ada.count("connections_total", verdict="done") == ada.count("connections_total", verdict="host") == 1
    assert ada.count("bytes_total", direction="up") == done.up
    assert ada.count("bytes_total", direction="down") == done.down


async def test_connections_that_are_open_are_shown_after_those_that_ended(ada: Session, plain: Origin) -> None:
    await ada.ask(b"nonsense\r\n\r\n")
    _, writer = await ada.tunnel(f"index.example:{plain.port}")
    await ada.until(lambda: ada.verdicts == [Verdict.MALFORMED, Verdict.OPEN])
    assert ada.count("open") == 1
    await closed(writer)
    assert await ada.ended() == [Verdict.MALFORMED, Verdict.DONE]
    assert ada.count("open") == 0


async def test_only_the_last_connections_are_kept(ada: Session) -> None:
    for _ in range(205):
        await ada.ask(b"nonsense\r\n\r\n")
    await ada.until(lambda: len(ada.connections) == 200)
    assert ada.count("connections_total", verdict="malformed") == 205
