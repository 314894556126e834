"""What happens when every place is taken: an honest queue."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

ELSEWHERE = "https://binder.example/v2/gh/ada/notes/HEAD"


@pytest.fixture
async def small(place: Path, store: MemoryStore, clock: HeldClock) -> AsyncIterator[Site]:
    """Two places, both taken: one is left for 5 minutes, one for 15."""
    settings: dict[str, Any] = {"pool": 0, "capacity": 2, "queue": 3, "idle": "15 min", "patience": "1 min"}
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        await site.start(site.browser())
        clock.forward(600)
        await site.start(site.browser())
        yield site


async def queued(site: Site, client: httpx2.AsyncClient | None = None) -> str:
    """The address where somebody waits who has just clicked."""
    answer = await site.click(client or site.browser())
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/wait/"), answer.headers["location"]
    return answer.headers["location"]


async def standing(site: Site, address: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site.get(f"{address}/standing")).json()
    return found


async def end_one(site: Site) -> None:
    first = next(iter(site.sessions))
    await site.sessions.end(first.name, "", reason="operator")


@asynccontextmanager
async def events(site: Site, address: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """What the page of somebody who waits is told."""

    async def told(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
        async for line in answer.aiter_lines():
            if line:
                yield json.loads(line.removeprefix("data: "))

    async with site.client.stream("GET", f"{address}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        async with aclosing(told(answer)) as found:  # type: ignore[type-var]
            yield found


async def test_who_comes_too_late_is_told_his_place_and_how_long_it_takes_at_the_most(small: Site) -> None:
    first, second, third = [await queued(small) for _ in range(3)]
    told = [await standing(small, address) for address in (first, second, third)]
    assert [each["position"] for each in told] == [1, 2, 3]
    assert [each["waiting"] for each in told] == [3, 3, 3]
    assert [each["expected"] for each in told] == [300, 900, 300 + 7200]
    assert {each["phase"] for each in told} == {"waiting"}
    front = (await small.get("/")).text
    assert "Every place is taken, and 3 visitors wait." in front


async def test_places_go_to_those_who_wait_in_the_order_of_their_coming(small: Site) -> None:
    first, second = await queued(small), await queued(small)
    await end_one(small)
    await eventually(lambda: len(list(small.sessions)) == 2)
    assert (await small.get(first)).status_code == 303
    assert (await standing(small, second))["position"] == 1
    await end_one(small)
    await eventually(lambda: len(small.admission.waiting) == 0)


async def test_the_page_without_javascript_asks_again_and_leads_to_the_session(small: Site) -> None:
    browser = small.browser()
    address = await queued(small, browser)
    page = await browser.get(address)
    assert page.status_code == 200
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text
    assert "You are number 1 in the queue" in page.text
    assert "In 6 min at the latest" in page.text
    await end_one(small)
    await eventually(lambda: len(list(small.sessions)) == 2)
    there = await browser.get(address)
    session = Found(there.headers["location"])
    assert (await browser.get(session.url)).status_code == 200
    assert session.token in (await browser.get("/")).text


async def test_the_page_with_javascript_is_told_of_each_change_at_once(small: Site) -> None:
    await queued(small)
    address = await queued(small)
    async with asyncio.timeout(20), events(small, address) as told:
        assert (await anext(told))["position"] == 2
        await end_one(small)
        while (now := await anext(told))["position"] == 2:
            pass
        assert (now["phase"], now["position"], now["waiting"]) == ("waiting", 1, 1)


async def test_the_events_end_with_the_session(small: Site) -> None:
    address = await queued(small)
    async with asyncio.timeout(20), events(small, address) as told:
        await anext(told)
        small.spawner.gate.clear()
        await end_one(small)
        phases = [(await anext(told))["phase"]]
        while phases[-1] != "launching":
            phases.append((await anext(told))["phase"])
        small.spawner.gate.set()
        rest = [each async for each in told]
    assert rest[-1]["phase"] == "ready"
    assert Found(rest[-1]["url"]).name in small.spawner.sessions


async def test_who_waits_is_told_when_his_session_cannot_be_started(small: Site) -> None:
    address = await queued(small)
    small.spawner.failing = "broken"
    async with asyncio.timeout(20), events(small, address) as told:
        await end_one(small)
        seen = [each async for each in told]
    assert seen[-1]["phase"] == "failed"
    assert "could not be started" in seen[-1]["message"]
    page = await small.get(address)
    assert (page.status_code, "could not be started" in page.text) == (503, True)


async def test_what_no_spawner_should_do_is_a_failure_too_and_not_a_page_that_waits_for_ever(small: Site) -> None:
    address = await queued(small)
    small.spawner.strange = True
    await end_one(small)
    await eventually(lambda: not small.admission.waiting and len(small.sessions) == 1)
    await eventually(lambda: small.admission.free == 1)
    assert (await standing(small, address))["phase"] == "failed"


async def test_who_has_not_been_there_for_a_while_loses_his_place_and_is_told(small: Site) -> None:
    gone, there = await queued(small), await queued(small)
    ticket = small.admission.find(gone.rpartition("/")[2])
    assert ticket is not None
    ticket.seen -= 31
    small.sessions.changed.set()
    await eventually(lambda: len(small.admission.waiting) == 1)
    assert (await standing(small, there))["position"] == 1
    page = await small.get(gone)
    assert (page.status_code, "Your place in the queue is gone" in page.text) == (404, True)
    assert small.admission.standing(ticket).phase == "failed"


async def test_who_watches_the_queue_keeps_his_place(small: Site) -> None:
    address = await queued(small)
    ticket = small.admission.find(address.rpartition("/")[2])
    assert ticket is not None
    for ask in (address, f"{address}/standing"):
        ticket.seen -= 29
        await small.get(ask)
    ticket.seen -= 29
    async with events(small, address) as told:
        await anext(told)
    ticket.seen -= 2
    small.sessions.changed.set()
    await asyncio.sleep(0.02)
    assert small.admission.waiting == [ticket]


async def test_the_queue_has_an_end_and_who_comes_then_is_told_when_to_come_again(small: Site) -> None:
    for _ in range(3):
        await queued(small)
    answer = await small.click(small.browser())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "as many visitors wait as can" in answer.text
    assert small.count("refused_total", reason="full") == 1


async def test_other_places_are_offered_to_who_has_waited_long(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    settings: dict[str, Any] = {"pool": 0, "capacity": 1, "patience": "1 min", "fallback": ELSEWHERE}
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        await site.start()
        address = await queued(site)
        assert re.search(r"<div data-elsewhere hidden>", (await site.get(address)).text)
        ticket = site.admission.find(address.rpartition("/")[2])
        assert ticket is not None
        ticket.asked -= 61
        page = (await site.get(address)).text
    assert "<div data-elsewhere>" in page
    assert f'href="{ELSEWHERE}"' in page
    assert "binder.example" in page


async def test_a_deep_link_leads_elsewhere_at_once_where_the_wait_would_be_long(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    settings: dict[str, Any] = {"pool": 0, "capacity": 1, "fallback": ELSEWHERE, "idle": "10 min"}
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        assert (await site.get("/notebooks/a.ipynb")).status_code == 200
        session = await site.start()
        away = await site.browser().get("/notebooks/a.ipynb")
        assert away.status_code == 302
        assert away.headers["location"] == f"{ELSEWHERE}?urlpath=notebooks%2Fa.ipynb"
        clock.forward(570)
        assert (await site.browser().get("/notebooks/a.ipynb")).status_code == 200
        back = await site.get("/notebooks/a.ipynb")
        assert Found(back.headers["location"]).name == session.name


async def test_nobody_comes_in_while_the_machine_has_no_memory_left(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, headroom="1000 TiB") as site:
        await queued(site)
        assert "Every place is taken" in (await site.get("/")).text
        assert (await site.post("/api/spawn")).status_code == 429
        assert (await site.get("/api/stats")).json()["available"] == 0
    assert site.spawner.started == 0


async def test_a_ticket_that_there_is_not_is_a_page_that_says_so(site: Site) -> None:
    for path in ("/wait/guessed", "/wait/guessed/events", "/wait/guessed/standing"):
        assert (await site.get(path)).status_code == 404


async def test_tickets_are_forgotten_in_the_end_whatever_became_of_them(small: Site) -> None:
    await end_one(small)
    await eventually(lambda: small.admission.free == 1)
    answer = await small.click()
    assert "/user/" in answer.headers["location"]
    for ticket in small.admission._tickets.values():
        ticket.seen -= 601
    small.sessions.changed.set()
    await eventually(lambda: not small.admission._tickets)


async def test_a_program_that_waits_for_its_answer_is_there(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    two = [{"name": "python"}, {"name": "julia"}]
    offers = [{"title": "P"}, {"title": "J", "environment": "julia"}]
    settings: dict[str, Any] = {"environments": two, "offers": offers, "pool": 1, "capacity": 1}
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        await eventually(lambda: site.pool.idle == 1)
        site.spawner.exits.clear()
        asking = asyncio.create_task(site.post("/api/spawn", json={"offer": "1"}))
        await eventually(lambda: site.admission.waiting)
        (ticket,) = site.admission.waiting
        ticket.seen -= 1000
        site.sessions.changed.set()
        await asyncio.sleep(0.05)
        site.spawner.exits.set()
        assert (await asking).status_code == 200
        assert not site.admission._tickets
