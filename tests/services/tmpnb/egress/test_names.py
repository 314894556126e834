"""Where a name leads: a real name server that changes its mind, and redirects."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from amalthea.services.tmpnb.egress.records import Verdict
from tests.services.nbviewer.fetching.name_server import NameServer, name_server
from tests.services.tmpnb.egress.origin import HERE, Origin, running
from tests.services.tmpnb.egress.session import Session, closed, session


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with name_server() as made:
        made.names["index.example"] = [[HERE]]
        yield made


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with running(Origin()) as made:
        yield made


@pytest.fixture
async def inside(origin: Origin) -> AsyncIterator[Origin]:
    """What must not be reached, at an address that is not allowed and the port that is."""
    async with running(Origin(), at="127.0.0.1", port=origin.port) as made:
        yield made


@pytest.fixture
async def ada(origin: Origin, inside: Origin, names: NameServer) -> AsyncIterator[Session]:
    hosts = [f"index.example:{origin.port}", f"*.wild.example:{origin.port}"]
    async with session({"hosts": hosts, "connections_per_minute": 1000}, resolve=names.resolve) as made:
        yield made


async def get(ada: Session, url: str) -> bytes:
    host = url.split("/")[2]
    return await ada.ask(f"GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


INSIDE = [
    "127.0.0.1", "0.0.0.0", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::7f00:2", "2002:7f00:1::1", "::127.0.0.1", "2001:db8::1",
]  # fmt: skip


async def test_a_name_with_an_unwanted_address_is_refused_in_the_same_words_whichever_it_is_or_if_it_has_none(
    ada: Session, origin: Origin, inside: Origin, names: NameServer
) -> None:
    name = "x.wild.example"
    answers = {await get(ada, f"http://{name}:{origin.port}/")}
    assert await ada.ended() == [Verdict.UNRESOLVED]
    for address in INSIDE:
        for addresses in ([address], [HERE, "140.82.121.4", address]):
            names.asked.clear()
            names.names[name] = [addresses]
            answers.add(await get(ada, f"http://{name}:{origin.port}/"))
    assert len(answers) == 1
    assert b"403 The name leads nowhere" in answers.pop()
    assert set((await ada.ended())[1:]) == {Verdict.ADDRESS}
    assert origin.accepted == inside.accepted == 0


async def test_a_name_is_looked_up_once_for_a_connection_and_what_it_leads_to_later_makes_no_difference(
    ada: Session, origin: Origin, inside: Origin, names: NameServer
) -> None:
    names.names["turn.wild.example"] = [[HERE], ["127.0.0.1"], [HERE], ["10.0.0.1", HERE]]
    answers = [await get(ada, f"http://turn.wild.example:{origin.port}/") for _ in range(4)]
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200", b"HTTP/1.1 403"] * 2
    assert names.asked["turn.wild.example", "A"] == 4
    assert (origin.accepted, inside.accepted) == (2, 0)


async def test_a_tunnel_is_judged_like_a_page(ada: Session, origin: Origin, inside: Origin, names: NameServer) -> None:
    names.names["turn.wild.example"] = [["127.0.0.1"], [HERE]]
    target = f"turn.wild.example:{origin.port}"
    assert b" 403 " in await ada.ask(f"CONNECT {target} HTTP/1.0\r\n\r\n".encode())
    _, writer = await ada.tunnel(target)
    await closed(writer)
    assert inside.accepted == 0


async def test_an_alias_is_judged_by_where_it_ends(ada: Session, origin: Origin, names: NameServer) -> None:
    names.names["one.wild.example"] = [["two.example"]]
    names.names["two.example"] = [["127.0.0.1"], [HERE]]
    assert b" 403 " in await get(ada, f"http://one.wild.example:{origin.port}/")
    assert b" 200 " in await get(ada, f"http://one.wild.example:{origin.port}/")


async def test_a_redirect_is_a_new_request_and_judged_like_the_first(
    ada: Session, origin: Origin, inside: Origin, names: NameServer
) -> None:
    names.names["inside.wild.example"] = [["127.0.0.1"]]
    hosts = ["127.0.0.1", "2130706433", "0x7f.1", "inside.wild.example", "evil.example", "localhost"]
    async with ada.client(follow_redirects=True) as client:
        for host in hosts:
            target = f"http://{host}:{origin.port}/secret"
            answer = await client.get(f"http://index.example:{origin.port}/?to={target}")
            assert (answer.status_code, len(answer.history)) == (403, 1), host
        again = await client.get(f"http://index.example:{origin.port}/?to=http://index.example:{origin.port}/b")
        assert again.status_code == 200
    assert inside.accepted == 0


async def test_a_name_off_the_list_is_never_looked_up(ada: Session, names: NameServer) -> None:
    names.names["evil.example"] = [[HERE]]
    for target in ("evil.example:443", "wild.example:443", "index.example:443", f"{HERE}:22", "127.0.0.1:443"):
        answer = await ada.ask(f"CONNECT {target} HTTP/1.0\r\n\r\n".encode())
        assert b"403 Not on the list" in answer, target
    assert not names.asked
    assert set(await ada.ended()) == {Verdict.HOST}


async def test_a_refusal_says_what_is_allowed_and_who_decides(names: NameServer) -> None:
    async with session({"hosts": ["index.example"]}, resolve=names.resolve, contact="ops@example.org") as ada:
        answer = await ada.ask(b"CONNECT evil.example:443 HTTP/1.0\r\n\r\n")
        with pytest.raises(httpx2.ProxyError, match="Not on the list of hosts"):
            async with ada.client() as client:
                await client.get("https://evil.example/")
    body = answer.partition(b"\r\n\r\n")[2].decode()
    for words in ("evil.example:443", "  index.example\n", "`egress.hosts`", "ops@example.org"):
        assert words in body
    assert f"Content-Length: {len(body)}\r\n".encode() in answer


async def test_a_host_that_does_not_answer_is_said_not_to(ada: Session, names: NameServer, origin: Origin) -> None:
    names.names["gone.wild.example"] = [["127.0.0.2"]]
    async with running(Origin()) as other:
        port = other.port
    async with session({"hosts": [f"gone.wild.example:{port}"]}, resolve=names.resolve) as bob:
        assert b"502 The host does not answer" in await bob.ask(
            f"CONNECT gone.wild.example:{port} HTTP/1.0\r\n\r\n".encode()
        )
        assert await bob.ended() == [Verdict.UNREACHABLE]
