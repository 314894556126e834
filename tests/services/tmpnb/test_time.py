"""How long a session lives: the clock is in the test's hand, and the culler looks when it is told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.plain_server import Line
from tests.services.tmpnb.site import Found, Site, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

IDLE, LIFETIME, LONGEST = 900, 7200, 21600


@pytest.fixture
async def session(site: Site) -> Found:
    return await site.start()


async def lives(site: Site, session: Found) -> bool:
    await site.culler.look()
    return site.sessions.get(session.name) is not None


def happened(clock: HeldClock, seconds_ago: float = 0) -> str:
    return (clock.now - timedelta(seconds=seconds_ago)).isoformat()


async def told(site: Site, session: Found, path: str = "time", method: str = "GET") -> dict[str, float]:
    answer = await site.client.request(method, f"{session.base}-/{path}", headers=session.authorized)
    assert answer.status_code == 200
    found: dict[str, float] = answer.json()
    return found


async def test_a_session_in_which_nothing_happens_ends(site: Site, session: Found, clock: HeldClock) -> None:
    clock.forward(IDLE - 1)
    assert await lives(site, session)
    clock.forward(1)
    assert not await lives(site, session)
    ended = site.sessions.ended(session.name)
    assert ended is not None
    assert "15 min" in ended.why
    assert site.count("ends_total", reason="idle") == 1


async def test_an_open_tab_that_asks_again_and_again_is_nothing_that_happens(
    site: Site, session: Found, clock: HeldClock
) -> None:
    async with site.socket(session) as tab:
        for _ in range(3):
            clock.forward(IDLE / 3)
            for path in ("api/kernels", "api/contents/x", "api/terminals", "-/time", "lab"):
                await site.get(session.base + path, headers=session.authorized)
            await tab.send("ping")
            assert await tab.recv() == "ping"
        assert not await lives(site, session)


async def test_what_a_visitor_sends_is_something_that_happens(site: Site, session: Found, clock: HeldClock) -> None:
    for _ in range(3):
        clock.forward(IDLE - 1)
        body = {"content": "x"}
        await site.client.put(f"{session.base}api/contents/a.txt", json=body, headers=session.authorized)
        assert await lives(site, session)


async def test_a_cell_that_runs_is_something_however_long_it_says_nothing_and_idle_time_begins_after_it(
    site: Site, session: Found, clock: HeldClock
) -> None:
    server = site.server(session)
    server.kernels = [{"execution_state": "busy", "last_activity": happened(clock)}]
    for _ in range(4):
        clock.forward(IDLE)
        assert await lives(site, session)
    server.kernels = [{"execution_state": "idle", "last_activity": happened(clock, 3000)}]
    assert await lives(site, session)
    clock.forward(IDLE - 1)
    assert await lives(site, session)
    clock.forward(2)
    assert not await lives(site, session)


async def test_what_a_kernel_or_a_terminal_did_last_counts(site: Site, session: Found, clock: HeldClock) -> None:
    clock.forward(800)
    server = site.server(session)
    server.kernels = [{"execution_state": "idle", "last_activity": happened(clock, 100)}]
    clock.forward(700)
    assert await lives(site, session)
    server.terminals = [{"last_activity": happened(clock, 10)}]
    clock.forward(800)
    assert await lives(site, session)
    server.terminals = None
    clock.forward(200)
    assert not await lives(site, session)


@pytest.mark.parametrize(
    "said",
    [
        b"[" * 100_000,
        b'[{"x":' + b"[" * 200_000,
        b'[{"execution_state": "idle", "last_activity": "0001-01-01T00:00:00+14:00"}]',
        b'[{"execution_state": "idle", "last_activity": "2050-01-01T00:00:00"}]',
        b'[{"execution_state": "\xff"}]',
        b'{"a": 1}',
        b"x" * (5 << 20),
        b"",
    ],
    ids=range(8),
)
async def test_whatever_a_tenant_lets_his_server_say_he_goes_when_his_time_is_over_and_others_too(
    site: Site, session: Found, clock: HeldClock, said: bytes
) -> None:
    site.server(session).answers["api/kernels"] = lambda line: line.answer(200, said)
    site.server(session).answers["api/terminals"] = lambda line: line.answer(200, said)
    other = await site.start()
    clock.forward(IDLE + 1)
    assert not await lives(site, other)
    clock.forward(IDLE + 1)
    assert not await lives(site, session)


async def test_a_server_that_hangs_or_breaks_off_does_not_live_longer(
    site: Site, session: Found, clock: HeldClock
) -> None:
    async def hang(line: Line) -> None:
        line.break_off()

    site.server(session).answers["api/kernels"] = hang
    clock.forward(IDLE - 1)
    assert await lives(site, session)
    clock.forward(2)
    assert not await lives(site, session)


async def test_a_tenant_whose_server_always_says_busy_has_his_lifetime_and_no_more(
    site: Site, session: Found, clock: HeldClock
) -> None:
    site.server(session).kernels = [{"execution_state": "busy"}]
    clock.forward(LIFETIME - 1)
    assert await lives(site, session)
    clock.forward(1)
    assert not await lives(site, session)
    assert site.count("ends_total", reason="lifetime") == 1


async def test_who_asks_gets_more_time_up_to_the_longest_there_is(site: Site, session: Found, clock: HeldClock) -> None:
    site.server(session).kernels = [{"execution_state": "busy"}]
    await site.culler.look()
    assert await told(site, session) | {"until": LIFETIME, "more": True} == await told(site, session)
    assert (await told(site, session, "more", "POST"))["until"] == LIFETIME + 3600
    for _ in range(10):
        clock.forward(600)
        until = (await told(site, session, "more", "POST"))["until"]
    assert until == LONGEST - 6000
    assert not (await told(site, session))["more"]
    clock.forward(LONGEST - 6001)
    assert await lives(site, session)
    clock.forward(1)
    assert not await lives(site, session)


async def test_asking_for_more_time_is_something_that_happens(site: Site, session: Found, clock: HeldClock) -> None:
    clock.forward(IDLE - 1)
    await told(site, session, "more", "POST")
    clock.forward(IDLE - 1)
    assert await lives(site, session)


async def test_where_no_more_time_is_given_there_is_none(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, more="0 s") as site:
        session = await site.start()
        assert not (await told(site, session))["more"]
        assert (await told(site, session, "more", "POST"))["until"] == LIFETIME


async def test_the_page_knows_what_is_left_and_when_to_warn(site: Site, session: Found, clock: HeldClock) -> None:
    clock.forward(100)
    found = await told(site, session)
    assert (found["left"], found["until"], found["warning"], found["busy"], found["slowed"], found["keep"]) == (
        IDLE - 100, LIFETIME - 100, 300, False, False, 7 * 86400
    )  # fmt: skip


async def test_what_the_page_of_a_session_asks_is_answered_to_nobody_else(site: Site, session: Found) -> None:
    other = await site.start(site.browser())
    stranger = site.browser()
    for method, path in (("GET", "time"), ("POST", "more"), ("POST", "end"), ("POST", "link"), ("GET", "work.zip")):
        for headers in ({}, other.authorized, {"cookie": f"tmpnb-session={other.token}"}):
            answer = await stranger.request(method, f"{session.base}-/{path}", headers=headers)
            assert answer.status_code == 403, path
            assert session.token not in answer.text
    assert await lives(site, session)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-site"}, {"origin": "https://other.try.example.org"}])
async def test_a_page_of_another_session_cannot_end_this_one_or_give_it_time(
    site: Site, session: Found, headers: dict[str, str]
) -> None:
    for path in ("more", "end", "link"):
        answer = await site.post(f"{session.base}-/{path}", headers=headers)
        assert answer.status_code == 403
    assert (await site.post(f"{session.base}-/link", headers={"sec-fetch-site": "same-origin"})).status_code == 200


async def test_the_link_that_lets_others_in_does(site: Site, session: Found) -> None:
    answer = await site.post(f"{session.base}-/link", headers=session.authorized)
    assert (await site.browser().get(answer.json()["url"])).status_code == 200


async def test_whoever_has_used_his_computing_time_is_slowed_down_once(
    site: Site, session: Found, clock: HeldClock
) -> None:
    other = await site.start()
    site.spawner.uses(session.name, cpu=1799.9)
    await site.culler.look()
    assert site.spawner.sessions[session.name].cores == 1.0
    site.spawner.uses(session.name, cpu=1800)
    for _ in range(3):
        await site.culler.look()
    assert site.spawner.sessions[session.name].cores == 0.1
    assert site.spawner.sessions[other.name].cores == 1.0
    assert (await told(site, session))["slowed"]
    assert site.count("throttled_total") == 1


async def test_the_culler_looks_by_itself(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, idle="200 ms") as site:
        await site.start()
        clock.forward(1)
        async with asyncio.timeout(20):
            while list(site.sessions):
                await asyncio.sleep(0.01)
