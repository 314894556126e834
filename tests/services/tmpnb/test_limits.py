"""Who may start something, and how much: networks are told apart by their addresses, and proxies are believed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from amalthea.model.errors import UsageError
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import Site, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

BANS = [
    {"networks": ["203.0.113.0/24", "2001:db8:bad::/48"], "reason": "mined coins"},
    {"networks": ["198.51.100.0/24"], "reason": "flooded", "until": "2050-01-03"},
]


def seen_from(address: str) -> dict[str, str]:
    return {"x-forwarded-for": address}


async def test_a_banned_network_is_told_why_and_until_when_and_starts_nothing(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, bans=BANS, pool=0) as site:
        for address in ("203.0.113.9", "2001:db8:bad:1::1", "::ffff:203.0.113.9"):
            answer = await site.click(headers=seen_from(address))
            assert (answer.status_code, "mined coins" in answer.text) == (403, True)
            api = await site.post("/api/spawn", headers=seen_from(address))
            assert (api.status_code, api.json()["status"]) == (403, "refused")
        answer = await site.click(headers=seen_from("198.51.100.1"))
        assert "until 03 January 2050: flooded" in answer.text
        assert site.spawner.started == 0
        assert (await site.get("/", headers=seen_from("203.0.113.9"))).status_code == 200
        assert (await site.click(headers=seen_from("203.0.114.9"))).status_code == 303
        assert site.count("refused_total", reason="NotAllowed") == 7


async def test_a_ban_ends_after_its_last_day(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, bans=BANS, pool=0) as site:
        clock.forward(3 * 86400 - 1)
        assert (await site.click(headers=seen_from("198.51.100.1"))).status_code == 403
        clock.forward(1)
        assert (await site.click(headers=seen_from("198.51.100.1"))).status_code == 303


@pytest.mark.parametrize(
    "settings", [{"bans": [{"networks": ["1.2.3.4/99"], "reason": "x"}]}, {"trusted_proxies": ["1.2.3.4/8"]}]
)
async def test_a_network_that_is_none_is_an_error_of_the_fleet_file(
    place: Path, store: MemoryStore, clock: HeldClock, settings: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=r"services\.tmpnb"):
        async with tmpnb(place, store=store, clock=clock, **settings):
            pass


async def test_one_network_has_so_many_sessions_at_once_and_others_are_not_in_its_way(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, at_once=2, pool=0) as site:
        first = await site.start(headers=seen_from("192.0.2.1"))
        await site.start(headers=seen_from("192.0.2.200"))
        refused = await site.click(headers=seen_from("192.0.2.77"))
        assert (refused.status_code, "2 notebook servers here already" in refused.text) == (429, True)
        await site.start(headers=seen_from("192.0.3.1"))
        await site.sessions.end(first.name, "", reason="operator")
        await site.start(headers=seen_from("192.0.2.1"))


async def test_those_of_a_network_who_wait_or_start_count_too(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, at_once=2, pool=0) as site:
        site.spawner.gate.clear()
        answers = await asyncio.gather(*(site.click(headers=seen_from("192.0.2.1")) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [303, 303, 429, 429, 429]
        site.spawner.gate.set()


async def test_one_network_starts_so_many_an_hour(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, starts=2, pool=0) as site:
        for _ in range(2):
            session = await site.start(headers=seen_from("2001:db8:1::1"))
            await site.sessions.end(session.name, "", reason="operator")
            clock.forward(600)
        refused = await site.click(headers=seen_from("2001:db8:1:ff::9"))
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "2400"
        await site.start(headers=seen_from("2001:db8:1:100::1"))
        clock.forward(2400)
        await site.start(headers=seen_from("2001:db8:1::1"))
        assert (await site.click(headers=seen_from("2001:db8:1::1"))).status_code == 429


async def test_starts_that_fail_for_what_was_asked_count_and_those_that_fail_here_do_not(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    offers = [{"title": "Gone", "directory": "/no/such"}, {"title": "Empty"}]
    async with tmpnb(place, store=store, clock=clock, starts=3, pool=0, offers=offers) as site:
        site.spawner.failing = "the machine is broken"
        for _ in range(5):
            assert (await site.click(headers=seen_from("192.0.2.1"))).status_code == 503
        site.spawner.failing = ""
        for _ in range(3):
            assert (await site.click(headers=seen_from("192.0.2.1"))).status_code == 400
        assert (await site.click(headers=seen_from("192.0.2.1"))).status_code == 429


async def test_an_address_is_believed_of_a_proxy_that_is_known_and_of_nobody_else(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    settings: dict[str, Any] = {"bans": BANS, "at_once": 1, "pool": 0}
    async with tmpnb(place, store=store, clock=clock, trusted_proxies=["10.0.0.0/8"], **settings) as site:
        await site.start(headers=seen_from("203.0.113.9"))  # which is banned, but it is not that
        assert (await site.click(headers=seen_from("192.0.2.1"))).status_code == 429
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        chain = seen_from("203.0.113.9, 192.0.2.1, 127.0.0.3")
        await site.start(headers=chain)
        assert (await site.click(headers=seen_from("10.9.8.7, 192.0.2.2"))).status_code == 429


async def test_visitors_whom_nobody_can_tell_apart_are_not_counted_as_one(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, at_once=1, starts=1, pool=0) as site:
        for headers in ({}, seen_from("unknown"), {}, seen_from("127.0.0.1")):
            await site.start(headers=headers)


async def test_what_is_remembered_of_networks_is_bounded(site: Site) -> None:
    shares = site.admission._shares
    for number in range(25_000):
        shares.check(f"{number}")
    assert len(shares._started) < 12_000
