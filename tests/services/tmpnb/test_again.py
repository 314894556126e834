"""A session that is over goes on with its files: where it was, and at another site."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import HTML, Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock
from tests.store.faulty import FaultyStore, Mood

FILES = {"a.ipynb": b"{}", "deep/My data.csv": b"1,2"}


@pytest.fixture
async def north(place: Path, store: MemoryStore, clock: HeldClock) -> AsyncIterator[Site]:
    async with tmpnb(place, store=store, clock=clock, pool=0) as made:
        yield made


@pytest.fixture
async def south(place: Path, store: MemoryStore, clock: HeldClock, north: Site) -> AsyncIterator[Site]:
    """Another site with the same store."""
    async with tmpnb(place, store=store, clock=clock, site="south", pool=0) as made:
        yield made


async def worked(site: Site, client: httpx2.AsyncClient | None = None) -> Found:
    """A session with some work in it, which is over."""
    session = await site.start(client)
    home = site.spawner.home(session.name)
    for path, body in FILES.items():
        await home.write(path, body)
    await site.sessions.end(session.name, "Nothing had happened in it.", reason="idle")
    return session


async def reopened(
    site: Site, session: Found, client: httpx2.AsyncClient | None = None, **data: str
) -> httpx2.Response:
    data.setdefault("token", session.token)
    return await (client or site.browser()).post(f"{session.base}-/again", data=data)


async def files(site: Site, session: Found) -> dict[str, bytes]:
    home = site.spawner.home(session.name)
    return {file.path: await home.read(file.path, most=1 << 20) for file in await home.scan()}


def unzipped(answer: httpx2.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


async def test_the_page_of_a_session_that_is_over_offers_its_files_to_who_had_it(north: Site) -> None:
    session = await worked(north)
    page = await north.get(f"{session.base}lab/tree/a.ipynb", headers=HTML)
    assert page.status_code == 200
    assert "Nothing had happened in it." in page.text
    assert "2 files" in page.text
    assert f'<form method="post" action="{session.base}-/again">' in page.text
    assert '<input type="hidden" name="page" value="lab/tree/a.ipynb">' in page.text
    assert page.headers["cache-control"] == "no-store"
    with_link = await north.browser().get(session.url, headers=HTML)
    assert session.token in with_link.text


@pytest.mark.parametrize("shows", ["nothing", "wrong", "of another"])
async def test_who_does_not_show_the_token_gets_nothing_of_it(north: Site, shows: str) -> None:
    session = await worked(north)
    other = await worked(north, north.browser())
    token = {"nothing": "", "wrong": session.token[:-1] + "0", "of another": other.token}[shows]
    stranger = north.browser()
    page = await stranger.get(f"{session.base}lab", params={"token": token}, headers=HTML)
    assert page.status_code == 404
    assert "Go on with your files" not in page.text
    assert session.token not in page.text
    assert (await reopened(north, session, stranger, token=token)).status_code == 404
    headers = {"authorization": f"token {token}"} if token else {}
    archive = await stranger.get(f"{session.base}-/work.zip", params={"token": token}, headers=headers)
    assert archive.status_code == 403
    assert north.spawner.started == 2


async def test_it_goes_on_with_its_files_and_the_same_token(north: Site) -> None:
    session = await worked(north)
    answer = await reopened(north, session, north.client, page="lab/tree/deep/My%20data.csv")
    assert answer.status_code == 303
    new = Found(answer.headers["location"])
    assert (new.token, new.url) == (session.token, f"{new.base}lab/tree/deep/My%20data.csv?token={session.token}")
    assert await files(north, new) == FILES
    assert (await north.client.get(new.url)).status_code == 200
    assert new.token in (await north.get("/")).text
    assert north.count("restored_total") == 1


async def test_it_goes_on_at_another_site(north: Site, south: Site) -> None:
    session = await worked(north)
    stranger = await south.browser().get(f"{session.base}lab", headers=HTML)
    assert (stranger.status_code, "Your session was at north" in stranger.text) == (404, True)
    browser = south.browser()
    page = await browser.get(session.url, headers=HTML)
    assert "Your session was at north" in page.text
    assert "data-send" in page.text  # the page goes on by itself: the site is lost, and nobody ended it
    answer = await reopened(south, session, browser)
    new = Found(answer.headers["location"])
    assert new.name.endswith("-south")
    assert await files(south, new) == FILES


async def test_the_old_link_leads_to_the_new_session_at_every_site_also_later(
    north: Site, south: Site, clock: HeldClock
) -> None:
    session = await worked(north)
    new = Found((await reopened(south, session)).headers["location"])
    await eventually(lambda: not south.opened.again.opening)
    for seconds in (3, 86400):
        clock.forward(seconds)
        for site in (north, south):
            browser = site.browser()
            for path in ("lab/tree/My%20data.csv?x=1%202", "api/contents/a%2Fb", "", "tree/%C3%BC"):
                moved = await browser.get(session.base + path, headers=HTML)
                assert (moved.status_code, moved.headers["location"]) == (307, new.base + path)
            api = await browser.put(f"{session.base}api/contents/x", json={})
            assert (api.status_code, api.headers["location"]) == (307, f"{new.base}api/contents/x")
            again = await reopened(site, session)
            assert again.headers["location"].startswith(new.base)


async def test_a_session_that_goes_on_twice_leads_from_the_first_link_to_the_last_session(
    north: Site, clock: HeldClock
) -> None:
    first = await worked(north)
    second = Found((await reopened(north, first)).headers["location"])
    await north.sessions.end(second.name, "", reason="operator")
    clock.forward(3)
    third = Found((await reopened(north, second)).headers["location"])
    clock.forward(3)
    moved = await north.get(first.url, headers=HTML)
    assert moved.headers["location"].startswith(third.base)
    assert await files(north, third) == FILES


async def test_several_who_go_on_at_once_get_one_session(north: Site) -> None:
    session = await worked(north)
    answers = await asyncio.gather(*(reopened(north, session) for _ in range(5)))
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert north.spawner.started == 2


async def test_the_files_can_be_downloaded_before_and_after_the_end_and_at_another_site(
    north: Site, south: Site
) -> None:
    session = await north.start()
    for path, body in FILES.items():
        await north.spawner.home(session.name).write(path, body)
    assert unzipped(await north.get(f"{session.base}-/work.zip")) == FILES
    await north.sessions.end(session.name, "", reason="operator")
    assert unzipped(await north.get(f"{session.base}-/work.zip")) == FILES
    for site in (north, south):
        assert unzipped(await site.browser().get(f"{session.base}-/work.zip?token={session.token}")) == FILES


async def test_what_was_never_kept_cannot_be_had(north: Site) -> None:
    gone = "abcdefghjkmnpq-north"
    assert (await north.get(f"/user/{gone}/-/work.zip?token=x")).status_code == 404
    assert (await north.post(f"/user/{gone}/-/again", data={"token": "x"})).status_code == 404


async def test_a_form_of_another_site_opens_nothing(north: Site) -> None:
    session = await worked(north)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = await north.post(f"{session.base}-/again", data={"token": session.token}, headers=headers)
        assert answer.status_code == 403
    assert north.spawner.started == 1


@pytest.mark.parametrize(
    "page",
    ["../../other-north/lab", "%2e%2e/%2e%2e/x", "//evil.example", "https://evil.example", "a\\..\\b", "\r\nx: y"],
)
async def test_a_hostile_page_is_not_led_to(north: Site, page: str, clock: HeldClock) -> None:
    session = await worked(north)
    answer = await reopened(north, session, page=page)
    new = Found(answer.headers["location"])
    assert new.url == f"{new.base}lab?token={session.token}"
    clock.forward(3)
    moved = (await reopened(north, session, page=page)).headers["location"]
    assert re.fullmatch(rf"{new.base}lab\?token={session.token}", moved)


async def test_who_goes_on_when_every_place_is_taken_waits_in_the_queue(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, capacity=1) as site:
        session = await worked(site)
        taken = await site.start(site.browser())
        browser = site.browser()
        answer = await reopened(site, session, browser, page="tree/deep")
        waiting = answer.headers["location"]
        assert (answer.status_code, waiting[:6]) == (303, "/wait/")
        assert "You are number 1" in (await browser.get(waiting)).text
        assert (await reopened(site, session, browser)).headers["location"] == waiting
        await site.sessions.end(taken.name, "", reason="operator")
        await eventually(lambda: len(list(site.sessions)) == 1)
        new = Found((await browser.get(waiting)).headers["location"])
        assert new.url.startswith(f"{new.base}tree/deep?")
        assert await files(site, new) == FILES
        await eventually(lambda: not site.opened.again.opening)
        clock.forward(3)
        moved = await site.get(session.url, headers=HTML)
        assert moved.headers["location"].startswith(new.base)


async def test_who_leaves_the_queue_can_come_again(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, capacity=1) as site:
        session = await worked(site)
        await site.start(site.browser())
        first = (await reopened(site, session)).headers["location"]
        site.admission.waiting[0].seen -= 31
        site.sessions.changed.set()
        await eventually(lambda: not site.opened.again.opening)
        second = (await reopened(site, session)).headers["location"]
        assert second.startswith("/wait/")
        assert second != first


async def test_a_queue_that_is_full_is_a_page_that_says_so(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, capacity=1, queue=0) as site:
        session = await worked(site)
        await site.start(site.browser())
        answer = await reopened(site, session)
        assert (answer.status_code, "Every place is taken" in answer.text) == (503, True)


async def test_a_start_that_fails_is_a_page_and_can_be_tried_again(north: Site) -> None:
    session = await worked(north)
    north.spawner.failing = "broken"
    assert (await reopened(north, session)).status_code == 503
    north.spawner.failing = ""
    answer = await reopened(north, session)
    assert await files(north, Found(answer.headers["location"])) == FILES


async def test_a_store_that_is_away_is_a_page_that_says_so_and_no_session_is_lost(
    place: Path, clock: HeldClock
) -> None:
    store = FaultyStore(MemoryStore())
    async with tmpnb(place, store=store, clock=clock, pool=0) as site:
        session = await worked(site)
        store.mood = Mood.FAILING
        assert (await site.get(session.url, headers=HTML)).status_code == 503
        assert (await reopened(site, session)).status_code == 503
        assert (await site.get(f"{session.base}-/work.zip?token={session.token}")).status_code == 503
        store.mood = Mood.WELL
        assert (await reopened(site, session)).status_code == 303


async def test_work_is_kept_while_a_session_lives_and_its_page_says_so(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, save_every="100 ms") as site:
        session = await site.start()
        await site.client.put(f"{session.base}api/contents/a.txt", json={"content": "kept"}, headers=session.authorized)

        async def saved() -> Any:
            snapshot = await site.opened.work.newest(session.name)
            return snapshot is not None and [file.path for file in snapshot.files] == ["a.txt"]

        async with asyncio.timeout(20):
            while not await saved():
                await asyncio.sleep(0.02)
        told = (await site.get(f"{session.base}-/time")).json()
        assert (told["saved"], told["trouble"]) == (0, "")
        assert session.token not in repr(await site.opened.work.newest(session.name))


async def test_an_environment_that_there_is_no_more_is_replaced_by_the_first(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    old: dict[str, Any] = {"environments": [{"name": "julia"}], "pool": 0}
    async with tmpnb(place, store=store, clock=clock, **old) as site:
        session = await worked(site)
    async with tmpnb(place, store=store, clock=clock, site="south", pool=0) as site:
        new = Found((await reopened(site, session)).headers["location"])
        assert site.spawner.sessions[new.name].order.environment == "python"


async def test_who_lost_a_session_gets_it_back_whatever_his_network_has_started(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0, starts=1) as site:
        visitor = site.browser()
        visitor.headers["x-forwarded-for"] = "198.51.100.7"
        session = await worked(site, visitor)
        assert (await visitor.post("/spawn", data={"offer": "0"})).status_code == 429
        assert (await reopened(site, session, visitor)).status_code == 303
