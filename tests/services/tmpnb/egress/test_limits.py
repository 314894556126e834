"""How much one session may have, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator

import pytest

from amalthea.services.tmpnb.egress.records import Verdict
from tests.services.tmpnb.egress.origin import Origin, running
from tests.services.tmpnb.egress.session import NAME, Hand, Session, closed, here, nowhere, session


@pytest.fixture
async def index() -> AsyncIterator[Origin]:
    async with running(Origin()) as made:
        yield made


async def get(ada: Session, index: Origin, path: str = "") -> bytes:
    host = f"index.example:{index.port}"
    return await ada.ask(f"GET http://{host}/{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


def listed(index: Origin) -> dict[str, object]:
    return {"hosts": [f"index.example:{index.port}"]}


async def test_more_connections_at_once_than_may_be_are_told_so_until_one_ends(index: Origin) -> None:
    async with session({**listed(index), "connections": 3}, resolve=here) as ada:
        writers = [(await ada.tunnel(f"index.example:{index.port}"))[1] for _ in range(3)]
        refused = await get(ada, index)
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 1\r\n" in refused
        await closed(writers.pop())
        await ada.until(lambda: ada.verdicts.count(Verdict.OPEN) == 2)
        assert b" 200 " in await get(ada, index)
        await asyncio.gather(*map(closed, writers))
        assert (await ada.ended()).count(Verdict.BUSY) == 1


async def test_a_crowd_of_refused_connections_waits_and_all_are_answered(index: Origin) -> None:
    async with session({**listed(index), "connections": 1}, resolve=here) as ada:
        _, writer = await ada.tunnel(f"index.example:{index.port}")
        answers = await asyncio.gather(*(get(ada, index) for _ in range(40)))
        assert {answer[:12] for answer in answers} == {b"HTTP/1.1 429"}
        await closed(writer)


async def test_more_new_connections_in_a_minute_than_may_be_are_told_when_to_come_back(index: Origin) -> None:
    clock = Hand()
    settings = {**listed(index), "connections_per_minute": 6}
    async with session(settings, resolve=here, clock=clock) as ada:
        answers = [await get(ada, index) for _ in range(7)]
        assert [answer[9:12] for answer in answers] == [b"200"] * 6 + [b"429"]
        assert b"Retry-After: 10\r\n" in answers[-1]
        clock.move(10)
        assert [(await get(ada, index))[9:12] for _ in range(2)] == [b"200", b"429"]
        clock.move(60)
        assert [(await get(ada, index))[9:12] for _ in range(7)] == [b"200"] * 6 + [b"429"]


async def test_what_is_received_beyond_the_burst_comes_at_the_rate_and_all_of_it_comes(index: Origin) -> None:
    settings = {**listed(index), "rate": "1 MB", "burst": "100 kB"}
    async with session(settings, resolve=here) as ada:
        began = time.monotonic()
        answers = await asyncio.gather(*(get(ada, index, "?size=250000") for _ in range(3)))
        took = time.monotonic() - began
    assert all(answer.endswith(b"x" * 250_000) for answer in answers)
    assert took > 0.6


async def test_what_is_sent_beyond_the_burst_goes_at_its_own_rate(index: Origin) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{len(await reader.read())}".encode())
        await writer.drain()

    settings = {"upload_rate": "1 MB", "burst": "100 kB"}
    async with (
        running(Origin(swallow)) as host,
        session({**listed(host), **settings}, resolve=here) as ada,
    ):
        reader, writer = await ada.tunnel(f"index.example:{host.port}")
        began = time.monotonic()
        writer.write(b"x" * 700_000)
        writer.write_eof()
        assert await reader.read() == b"700000"
        assert time.monotonic() - began > 0.55
        await closed(writer)


async def test_a_session_made_to_wait_by_its_rate_is_not_taken_for_idle(index: Origin) -> None:
    settings = {**listed(index), "rate": "32 KiB", "burst": "1 KiB", "idle_timeout": "600 ms"}
    async with session(settings, resolve=here) as ada:
        answers = await asyncio.gather(*(get(ada, index, "?size=6000") for _ in range(8)))
        assert all(answer.endswith(b"x" * 6000) for answer in answers)
        assert await ada.ended() == [Verdict.DONE] * 8


async def test_a_session_that_has_sent_all_it_may_is_cut_off_and_told_so(index: Origin) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass

    async with (
        running(Origin(swallow)) as host,
        session({**listed(host), "upload_limit": "100 KiB"}, resolve=here) as ada,
    ):
        reader, writer = await ada.tunnel(f"index.example:{host.port}")
        writer.write(b"x" * 200_000)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        await closed(writer)
        assert await ada.ended() == [Verdict.SPENT]
        assert ada.connections[0].up <= 100 * 2**10
        answers = [await get(ada, host), await ada.ask(b"GET http://index.example/ HTTP/1.0\r\n\r\n")]
        assert all(answer.startswith(b"HTTP/1.1 403 This session has sent all") for answer in answers)


async def test_a_connection_in_which_nothing_goes_either_way_ends() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with (
        running(Origin(silent)) as host,
        session({**listed(host), "idle_timeout": "200 ms"}, resolve=here) as ada,
    ):
        reader, writer = await ada.tunnel(f"index.example:{host.port}")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        await closed(writer)
        await get(ada, host)
        assert await ada.ended() == [Verdict.IDLE] * 2


async def test_an_answer_that_is_cut_off_is_not_taken_for_the_whole() -> None:
    """Without a length, the end of the connection is the end of the page: so it must not look like one."""

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of")
        await reader.read()

    async with (
        running(Origin(half)) as host,
        session({**listed(host), "idle_timeout": "200 ms"}, resolve=here) as ada,
    ):
        reader, writer = await ada.open()
        target = f"index.example:{host.port}"
        writer.write(f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert (await reader.readexactly(26)).endswith(b"half of")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await closed(writer)


async def test_nothing_is_left_after_two_hundred_connections_of_all_kinds(index: Origin) -> None:
    settings = {**listed(index), "connections_per_minute": 10_000, "idle_timeout": "5 s"}

    async def once(ada: Session, number: int) -> None:
        reader, writer = await ada.open()
        host = f"index.example:{index.port}"
        requests = (
            f"GET http://{host}/?size=200000 HTTP/1.1\r\nHost: {host}\r\n\r\n",
            f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            "CONNECT evil.example:443 HTTP/1.0\r\n\r\n",
            "nonsense\r\n\r\n",
            "",
        )
        writer.write(requests[number % 5].encode())
        if number % 2:
            await reader.read(50 if number % 5 < 4 else 0)
        if number % 3 == 0:
            writer.transport.abort()
        await closed(writer)

    async with session(settings, resolve=here) as ada:
        await once(ada, 1)
        await ada.ended()
        descriptors, tasks = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
        for start in range(0, 200, 20):
            await asyncio.gather(*(once(ada, number) for number in range(start, start + 20)))
        await ada.ended()
        assert ada.count("open") == 0
        await ada.until(lambda: len(asyncio.all_tasks()) <= tasks)
        await ada.until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)


async def test_when_the_session_ends_its_connections_end_and_are_still_known(index: Origin) -> None:
    async with session(listed(index), resolve=here) as ada:
        readers = [await ada.tunnel(f"index.example:{index.port}") for _ in range(5)]
        half_said = await ada.open()
        half_said[1].write(b"GET http")
        await ada.until(lambda: ada.verdicts == [Verdict.OPEN] * 6)
        descriptors = len(os.listdir("/proc/self/fd"))
        ada.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ada.task
        assert ada.verdicts == [Verdict.ENDED] * 6
        assert len(os.listdir("/proc/self/fd")) <= descriptors - 11
        for reader, writer in readers:
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
            await closed(writer)
        await closed(half_said[1])


async def test_a_session_cancelled_while_connections_arrive_loses_no_socket(index: Origin) -> None:
    """Warnings of sockets that nobody closed are errors here."""
    for pause in range(8):
        async with session(listed(index), resolve=here) as ada:
            writers = [(await ada.open())[1] for _ in range(10)]
            for _ in range(pause):
                await asyncio.sleep(0)
            ada.task.cancel()
            await asyncio.gather(ada.task, return_exceptions=True)
            await asyncio.gather(*map(closed, writers))
    gc.collect()


async def test_a_session_is_served_once_at_a_time_and_its_record_goes_on_when_it_is_served_again() -> None:
    async with session({"hosts": []}, resolve=nowhere) as ada:
        await ada.ask(b"nonsense\r\n\r\n")
        await ada.ended()
        with pytest.raises(ValueError, match="being served"):
            await ada.egress.serve(ada.listener, NAME)
        ada.task.cancel()
        await asyncio.gather(ada.task, return_exceptions=True)
        ada.task = asyncio.create_task(ada.egress.serve(ada.listener, NAME))
        await ada.ask(b"nonsense\r\n\r\n")
        assert await ada.ended() == [Verdict.MALFORMED] * 2
        assert ada.egress.connections("bob-1") == ()


async def test_a_socket_that_is_closed_under_it_ends_the_serving() -> None:
    async with session({"hosts": []}, resolve=nowhere) as ada:
        ada.task.cancel()
        await asyncio.gather(ada.task, return_exceptions=True)
        ada.listener.close()
        with pytest.raises(OSError, match="descriptor"):
            await ada.egress.serve(ada.listener, NAME)
