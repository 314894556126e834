from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import HTML, Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

OFFERS = [{"title": "Python", "text": "with everything"}, {"title": "<b>Bold</b>", "open": "lab/tree/a.ipynb"}]


async def test_the_front_page_says_what_can_be_started_and_for_how_long(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    settings: dict[str, Any] = {"offers": OFFERS, "title": "Try it", "lifetime": "3 h", "keep": "5 d", "pool": 0}
    async with tmpnb(place, store=store, clock=clock, **settings) as site:
        page = await site.get("/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for text in (
        "Try it",
        "A notebook server of your own",
        "with everything",
        "3 h",
        "5 d",
        "20 of 20 places are free",
    ):
        assert text in page.text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_a_click_leads_into_a_session_of_ones_own(site: Site) -> None:
    session = await site.start()
    page = await site.get(session.url, headers=HTML)
    assert page.status_code == 200
    assert site.server(session).last("lab").method == "GET"


async def test_each_offer_opens_what_it_says(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, offers=OFFERS, pool=0) as site:
        session = await site.start(data={"offer": "1"})
    assert session.url == f"{session.base}lab/tree/a.ipynb?token={session.token}"


async def test_an_offer_that_there_is_not_is_refused(site: Site) -> None:
    for data in ({"offer": "7"}, {"offer": "-1"}, {"offer": ""}, {}):
        assert (await site.click(data=data)).status_code == 400
    assert site.spawner.started == 0


async def test_crawlers_are_told_to_start_nothing(site: Site) -> None:
    robots = await site.get("/robots.txt")
    assert robots.status_code == 200
    for path in ("/user/", "/spawn", "/wait/", "/api/", "/v2/"):
        assert f"Disallow: {path}\n" in robots.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-site", "origin": "http://x.try.localhost"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1.evil.example"},
    ],
)
async def test_a_form_of_another_site_starts_nothing(site: Site, headers: dict[str, str]) -> None:
    assert (await site.click(headers=headers)).status_code == 403
    assert site.spawner.started == 0


async def test_a_form_of_the_front_page_is_taken_whatever_a_browser_says_of_it(site: Site) -> None:
    for headers in ({}, {"origin": site.url}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}):
        assert (await site.click(headers=headers)).status_code == 303


async def test_nothing_is_started_by_asking(site: Site) -> None:
    asked = [
        "/", "/spawn", "/spawn/", "/spawn/lab", "/lab", "/tree", "/lab/tree/a.ipynb", "/notebooks/a.ipynb", "/files/a",
        "/v2/gh/ada/notes/HEAD", "/api/spawn", "/api/spawn/", "/user/abcdefgh-north/lab",
        "/user/abcdefgh-north/-/again",
    ]  # fmt: skip
    for path in asked:
        for method in ("GET", "HEAD"):
            answer = await site.client.request(method, path, headers=HTML)
            assert answer.status_code < 500, path
    assert site.spawner.started == 0
    assert not site.admission.waiting


async def test_a_form_that_is_too_long_is_refused(site: Site) -> None:
    many = {f"field{number}": "x" for number in range(50)}
    assert (await site.click(data={"offer": "0", **many})).status_code == 400
    assert (await site.click(data={"offer": "0" * (2 << 20)})).status_code == 400
    files = {"offer": ("name", b"x" * 10_000)}
    assert (await site.client.post("/spawn", files=files)).status_code == 400
    assert site.spawner.started == 0


async def test_a_browser_finds_its_sessions_on_the_front_page_the_newest_first_and_nobody_elses(site: Site) -> None:
    first, second = await site.start(), await site.start()
    page = (await site.get("/")).text
    assert "Back to your notebook server" in page
    assert page.index(second.token) < page.index(first.token)
    other = await site.browser().get("/")
    assert "Back to your" not in other.text
    await site.sessions.end(second.name, "", reason="operator")
    assert second.token not in (await site.get("/")).text


async def test_a_browser_that_names_a_session_without_its_token_does_not_find_it(site: Site) -> None:
    session = await site.start()
    page = await site.browser().get("/", headers={"cookie": f"tmpnb-sessions={session.name}:guessed"})
    assert session.token not in page.text


async def test_a_browser_remembers_its_last_sessions_and_not_all(site: Site) -> None:
    started = [await site.start() for _ in range(7)]
    page = (await site.get("/")).text
    assert [session.token in page for session in started] == [False] * 2 + [True] * 5
    assert len(site.client.cookies["tmpnb-sessions"]) < 1000


@pytest.mark.parametrize("cookie", ["a:b", f"{'x' * 3000}:{'y' * 3000}", 'a"b:c', "|||:::", "ü:ü"])
async def test_what_others_put_into_the_cookie_is_not_passed_on(site: Site, cookie: str) -> None:
    answer = await site.browser().post(
        "/spawn", data={"offer": "0"}, headers=[(b"cookie", f"tmpnb-sessions={cookie}".encode("latin-1"))]
    )
    assert answer.status_code == 303
    session = Found(answer.headers["location"])
    assert answer.headers["set-cookie"].startswith(f"tmpnb-sessions={session.name}:{session.token};")


async def test_the_browser_keeps_the_cookie_as_long_as_work_is_kept(site: Site) -> None:
    answer = await site.click()
    assert f"Max-Age={6 * 3600 + 7 * 86400};" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=lax" in answer.headers["set-cookie"].lower()


async def test_a_session_that_cannot_be_started_is_a_page_that_says_so(site: Site) -> None:
    site.spawner.failing = "no memory left"
    answer = await site.click()
    assert answer.status_code == 503
    assert "could not be started" in answer.text
    assert "no memory left" not in answer.text
    ready = await site.admin.get("/-/readyz")
    assert (ready.status_code, "no memory left" in ready.text) == (503, True)
    site.spawner.failing = ""
    await site.start()
    assert (await site.admin.get("/-/readyz")).status_code == 200
    assert site.count("starts_total", how="failed") == 1


async def test_a_session_that_takes_its_time_has_a_page_meanwhile(site: Site) -> None:
    site.spawner.gate.clear()
    answer = await site.click()
    assert answer.headers["location"].startswith("/wait/")
    waiting = await site.get(answer.headers["location"])
    assert "is starting" in waiting.text
    site.spawner.gate.set()
    await eventually(lambda: len(list(site.sessions)) == 1)
    there = await site.get(answer.headers["location"])
    assert there.status_code == 303
    assert Found(there.headers["location"]).name in site.spawner.sessions
