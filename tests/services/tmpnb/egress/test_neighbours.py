"""A listed name is no way to its neighbours: other names at the same address, or anything but TLS."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest

from amalthea.services.tmpnb.egress.records import Verdict
from amalthea.services.tmpnb.egress.refusing import ALERT
from tests.services.tmpnb.egress.origin import Origin, contexts, running
from tests.services.tmpnb.egress.session import Session, closed, here, session
from tests.services.tmpnb.egress.test_hello import extension, hello, name_list, record, spoken


@pytest.fixture
async def cdn() -> AsyncIterator[Origin]:
    """Has certificates for two names, of which one is on the list."""
    async with running(Origin(), tls=contexts()[0]) as made:
        yield made


@pytest.fixture
async def ada(cdn: Origin) -> AsyncIterator[Session]:
    settings = {"hosts": [f"cdn.example:{cdn.port}"], "tls_ports": [cdn.port]}
    async with session(settings, resolve=here) as made:
        yield made


async def said(ada: Session, cdn: Origin, first: bytes) -> bytes:
    """What comes back through a tunnel to the listed name."""
    reader, writer = await ada.tunnel(f"cdn.example:{cdn.port}")
    writer.write(first)
    answer = await reader.read()
    await closed(writer)
    return answer


async def test_a_tunnel_asks_for_the_name_it_was_opened_for_and_for_no_other(ada: Session, cdn: Origin) -> None:
    context = contexts()[1]
    _, writer = await ada.tunnel(f"cdn.example:{cdn.port}")
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        await writer.start_tls(context, server_hostname="neighbour.example")
    await closed(writer)
    assert await ada.ended() == [Verdict.NAME]
    assert cdn.received == []


async def test_a_client_that_hides_another_name_behind_the_listed_one_gets_no_page(ada: Session, cdn: Origin) -> None:
    """`sni_hostname` is how the client is made to ask for the other."""
    async with ada.client() as client:
        url = f"https://cdn.example:{cdn.port}/"
        with pytest.raises(httpx2.HTTPError):
            await client.get(url, extensions={"sni_hostname": "neighbour.example"})
        assert (await client.get(url)).status_code == 200
    assert len(cdn.received) == 1


NAMED = extension(0, name_list(b"cdn.example"))


@pytest.mark.parametrize(
    "first",
    [
        spoken(None),
        hello(),
        spoken("a.cdn.example"),
        spoken("cdn.example.evil"),
        hello(extension(0, name_list(b"cdn.example."))),
        hello(NAMED, extension(0xFE0D, b"sealed")),
        hello(extension(0xFFCE, b"sealed"), NAMED),
    ],
)
async def test_a_hello_without_the_name_or_with_a_sealed_one_is_answered_by_an_alert(
    ada: Session, cdn: Origin, first: bytes
) -> None:
    assert await said(ada, cdn, first) == ALERT
    assert await ada.ended() == [Verdict.NAME]


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\nHost: neighbour.example\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        hello(extension(0, name_list(b"cdn.example", b"neighbour.example"))),
        hello(NAMED, extension(0, name_list(b"neighbour.example"))),
        record(b"\x01\0\x01\0" + bytes(100)) + b"\x17\x03\x03\0\x01x",
        record(b"\x02\0\0\x01x"),
    ],
)
async def test_what_is_not_one_clear_hello_is_answered_in_plain_words(ada: Session, cdn: Origin, first: bytes) -> None:
    assert (await said(ada, cdn, first)).startswith(b"HTTP/1.1 403 Only TLS")
    assert await ada.ended() == [Verdict.PLAIN]


async def test_nothing_of_a_refused_hello_reaches_the_host() -> None:
    received = bytearray()

    async def record_all(reader: object, writer: object) -> None:
        received.extend(await reader.read())  # type: ignore[attr-defined]

    async with running(Origin(record_all)) as host:
        settings = {"hosts": [f"cdn.example:{host.port}"], "tls_ports": [host.port]}
        async with session(settings, resolve=here) as ada:
            for first in (spoken("neighbour.example"), b"GET / HTTP/1.1\r\n\r\n"):
                await said(ada, host, first)
            await ada.ended()
            await ada.until(lambda: host.accepted == 2)
    assert received == b""


async def test_a_plain_request_to_a_port_for_tls_is_told_to_use_https(ada: Session, cdn: Origin) -> None:
    url = f"http://cdn.example:{cdn.port}/"
    answer = await ada.ask(f"GET {url} HTTP/1.1\r\nHost: cdn.example:{cdn.port}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 Only TLS")
    assert b"https://" in answer
    assert b"403 Only TLS" in await ada.ask(b"GET http://cdn.example:443/ HTTP/1.0\r\n\r\n")
    assert cdn.accepted == 0


async def test_a_tunnel_in_which_a_hello_is_not_ended_ends(cdn: Origin) -> None:
    settings = {"hosts": [f"cdn.example:{cdn.port}"], "tls_ports": [cdn.port], "header_timeout": "300 ms"}
    async with session(settings, resolve=here) as ada:
        assert await said(ada, cdn, spoken("cdn.example")[:50]) == b""
        assert await ada.ended() == [Verdict.SLOW]
