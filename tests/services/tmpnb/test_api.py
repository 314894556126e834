"""The API that tmpnb had, as its clients call it, and what it lacked beside it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from amalthea import __version__
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

ELSEWHERE = "https://binder.example/v2/gh/ada/notes/HEAD"
ORIGIN = "https://docs.example"


@pytest.fixture
async def guarded(place: Path, store: MemoryStore, clock: HeldClock) -> AsyncIterator[Site]:
    """Who starts something by the API shows a token."""
    os.environ["TRY_TOKEN"] = "s3cret"
    try:
        async with tmpnb(place, store=store, clock=clock, pool=0, token_variable="TRY_TOKEN") as made:
            yield made
    finally:
        del os.environ["TRY_TOKEN"]


@pytest.mark.parametrize("path", ["/api/spawn", "/api/spawn/"])
async def test_a_program_gets_the_address_of_a_session_of_its_own(site: Site, path: str) -> None:
    answer = await site.post(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"url"}
    assert re.fullmatch(r"/user/[a-z0-9]{14}-north/lab\?token=[0-9a-f]{48}", answer.json()["url"])
    session = Found(answer.json()["url"])
    listed = await site.browser().get(f"{session.base}api/kernels", headers=session.authorized)
    assert (listed.status_code, listed.json()) == (200, [])
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"null", b"image_name=x", b'{"image_name": "jupyter/demo"}'])
async def test_what_old_clients_send_along_is_no_obstacle(site: Site, body: bytes) -> None:
    assert (await site.post("/api/spawn/", content=body)).status_code == 200


async def test_the_statistics_have_the_shape_that_they_had(site: Site) -> None:
    for path in ("/api/stats", "/api/stats/"):
        assert (await site.get(path)).json() == {
            "available": 20,
            "capacity": 20,
            "version": __version__,
            "container_image": "python",
        }
    await site.post("/api/spawn")
    assert (await site.get("/api/stats")).json()["available"] == 19
    for path in ("/stats", "/stats/"):
        moved = await site.get(path)
        assert (moved.status_code, moved.headers["location"]) == (301, "/api/stats")


async def test_when_full_a_program_is_told_so_as_it_was_and_when_to_come_again(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    settings: dict[str, Any] = {"pool": 0, "capacity": 1, "idle": "10 min", "fallback": ELSEWHERE}
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        await site.post("/api/spawn")
        clock.forward(60)
        answer = await site.post("/api/spawn")
        assert (answer.status_code, answer.json()) == (429, {"status": "full"})
        assert answer.headers["retry-after"] == "540"
        assert answer.headers["location"] == ELSEWHERE
        assert not site.admission.waiting
        told = (await site.get("/api/capacity")).json()
        assert told == {
            "site": "north",
            "available": 0,
            "capacity": 1,
            "sessions": 1,
            "waiting": 0,
            "expected_wait": 540,
            "fallback": ELSEWHERE,
            "lite": None,
        }


async def test_programs_do_not_come_before_those_who_wait(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, capacity=1) as site:
        session = await site.start()
        waiting = (await site.click(site.browser())).headers["location"]
        site.spawner.gate.clear()
        await site.sessions.end(session.name, "", reason="operator")
        assert (await site.post("/api/spawn")).status_code == 429
        site.spawner.gate.set()
        await eventually(lambda: len(list(site.sessions)) == 1)
        assert (await site.get(waiting)).status_code == 303


async def test_a_program_may_say_what_it_wants(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    offers = [{"title": "A"}, {"title": "B", "open": "tree"}]
    async with tmpnb(place, store=store, clock=clock, pool=0, offers=offers) as site:
        for wanted, page in (
            ({"offer": "1"}, "tree"),
            ({"path": "/notebooks/a%20b.ipynb"}, "notebooks/a%20b.ipynb"),
            ({"path": "/lab/tree/a.ipynb?reset="}, "lab/tree/a.ipynb?reset="),
        ):
            session = Found((await site.post("/api/spawn", json=wanted)).json()["url"])
            assert session.url.startswith(session.base + page)
    wrong: list[dict[str, Any]] = [
        {"offer": "9"},
        {"offer": 1},
        {"path": "/api"},
        {"path": "/v2/xx/y"},
        {"path": "lab/../.."},
    ]
    for asked in wrong:
        async with tmpnb(place, store=store, clock=clock, pool=0, offers=offers) as site:
            answer = await site.post("/api/spawn", json=asked)
            assert (answer.status_code, answer.json()["status"]) == (400, "refused"), asked
            assert site.spawner.started == 0


async def test_a_request_that_is_no_json_or_too_long_is_refused(site: Site) -> None:
    for body in (b"{", b'{"offer": ' + b"[" * 5000 + b"}", b"x" * 20_000, b'{"path": "' + b"x" * 9_000 + b'"}'):
        answer = await site.post("/api/spawn", content=body)
        assert (answer.status_code, answer.json()["status"]) == (400, "refused")
    assert site.spawner.started == 0


async def test_where_a_token_is_set_who_starts_something_shows_it(guarded: Site) -> None:
    for header in ("", "token", "token wrong", "s3cret", "basic s3cret", "token s3cret2", "token ü"):
        headers = [(b"authorization", header.encode("latin-1"))] if header else []
        answer = await guarded.post("/api/spawn", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"status": "unauthorized"}), header
        assert answer.headers["www-authenticate"] == "token"
    assert guarded.spawner.started == 0
    for header in ("token s3cret", "Bearer s3cret", "TOKEN  s3cret"):
        assert (await guarded.post("/api/spawn/", headers={"authorization": header})).status_code == 200
    assert (await guarded.get("/api/stats")).status_code == 200


async def test_a_page_of_another_origin_calls_the_api_where_the_settings_allow_it(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    for allowed in ("*", ORIGIN):
        async with tmpnb(place, store=store, clock=clock, pool=0, allow_origin=allowed) as site:
            for path in ("/api/spawn", "/api/spawn/", "/api/stats", "/api/anything"):
                asked = await site.client.options(path, headers={"origin": ORIGIN})
                assert asked.status_code == 204
                assert asked.headers["access-control-allow-origin"] == allowed
                assert "POST" in asked.headers["access-control-allow-methods"]
                assert "Authorization" in asked.headers["access-control-allow-headers"]
                assert asked.headers["access-control-max-age"] == "600"
            got = await site.post("/api/spawn", headers={"origin": ORIGIN})
            assert (got.status_code, got.headers["access-control-allow-origin"]) == (200, allowed)
            assert got.headers["vary"] == "origin"
            assert "access-control-allow-credentials" not in got.headers
            other = await site.post("/api/spawn", headers={"origin": "https://evil.example"})
            assert other.status_code == (200 if allowed == "*" else 403)


async def test_a_page_of_another_origin_starts_nothing_where_the_settings_do_not_say_so(site: Site) -> None:
    for origin in (ORIGIN, "null", site.url.replace("127.0.0.1", "127.0.0.2")):
        answer = await site.post("/api/spawn", headers={"origin": origin})
        assert (answer.status_code, answer.json()["status"]) == (403, "forbidden")
        assert "access-control-allow-origin" not in answer.headers
    asked = await site.client.options("/api/spawn", headers={"origin": ORIGIN})
    assert (asked.status_code, "access-control-allow-origin" in asked.headers) == (204, False)
    assert site.spawner.started == 0
    assert (await site.post("/api/spawn", headers={"origin": site.url})).status_code == 200


async def test_with_its_token_a_program_may_come_from_any_page(guarded: Site) -> None:
    headers = {"origin": ORIGIN, "authorization": "token s3cret"}
    assert (await guarded.post("/api/spawn", headers=headers)).status_code == 200


async def test_the_limits_of_a_network_hold_for_programs_too(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, starts=1) as site:
        headers = {"x-forwarded-for": "192.0.2.1"}
        assert (await site.post("/api/spawn", headers=headers)).status_code == 200
        answer = await site.post("/api/spawn", headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (429, "limited")
        assert answer.headers["retry-after"] == "3600"


async def test_what_cannot_be_started_is_said_in_the_same_shape(site: Site) -> None:
    site.spawner.failing = "broken"
    answer = await site.post("/api/spawn")
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    assert "broken" not in answer.text
    assert int(answer.headers["retry-after"]) > 0


async def test_an_operator_drains_the_pool_as_before_and_no_visitor_can(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=3) as site:
        await eventually(lambda: site.pool.idle == 3)
        assert (await site.client.delete("/api/pool")).status_code in (404, 405)
        assert (await site.get("/-/sessions")).status_code == 404
        assert (await site.admin.delete("/api/pool")).json() == {"drained": 3}
        await eventually(lambda: site.pool.idle == 3)


async def test_a_program_that_hangs_up_is_not_waited_for_and_what_was_started_for_it_ends(site: Site) -> None:
    site.spawner.gate.clear()
    async with site.browser() as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post("/api/spawn", timeout=0.05)
    site.spawner.gate.set()
    await eventually(lambda: len(list(site.sessions)) == 1)
    assert not site.admission._tickets or all(ticket.done for ticket in site.admission._tickets.values())
