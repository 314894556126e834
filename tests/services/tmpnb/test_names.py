"""Each session under a name of its own: browsers keep them apart from each other and from the front page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from amalthea.model.fleet import Names
from amalthea.services.tmpnb.places import Places
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import HTML, Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

NAMES = Names(domain="example.org")
FRONT = "try.example.org"


@pytest.fixture
async def site(place: Path, store: MemoryStore, clock: HeldClock) -> AsyncIterator[Site]:
    async with tmpnb(place, store=store, clock=clock, names=NAMES, pool=0, capacity=3) as made:
        made.client.headers["host"] = FRONT
        yield made


def host(session: Found) -> str:
    return f"{session.name}.{FRONT}"


async def at(site: Site, session: Found, path: str = "", **headers: str) -> httpx2.Response:
    """A request under a session's own name."""
    return await site.browser().get(f"{session.base}{path}", headers={"host": host(session), **headers})


async def test_a_click_leads_to_the_sessions_own_name_and_it_is_there(site: Site) -> None:
    session = await site.start()
    assert session.url == f"https://{host(session)}{session.base}lab?token={session.token}"
    page = await at(site, session, f"lab?token={session.token}")
    assert page.status_code == 200
    (cookie,) = page.headers.get_list("set-cookie")
    assert cookie.endswith("; Secure")


async def test_a_session_is_under_its_own_name_and_no_other(site: Site) -> None:
    session, other = await site.start(), await site.start(site.browser(), headers={"host": FRONT})
    for name in (FRONT, host(other), "TRY.example.org:443", "example.org", "127.0.0.1"):
        answer = await site.browser().get(f"{session.base}api?x=%201", headers={"host": name})
        assert answer.status_code == 307, name
        where = urlsplit(answer.headers["location"])
        led = other if name == host(other) else session
        assert (where.netloc, where.path.startswith(led.base)) == (host(led), True), name
    assert not site.server(session).asked
    for name in (host(session).upper(), f"{host(session)}:8443", f"{host(session)}."):
        answer = await site.browser().get(f"{session.base}lab?token={session.token}", headers={"host": name})
        assert answer.status_code == 200


async def test_a_redirect_to_its_name_keeps_what_was_asked(site: Site) -> None:
    session = await site.start()
    answer = await site.get(f"{session.base}lab/tree/a%20b.ipynb?token=x&y=%2F")
    assert answer.headers["location"] == f"https://{host(session)}{session.base}lab/tree/a%20b.ipynb?token=x&y=%2F"


async def test_under_a_sessions_name_there_is_no_front_page_and_nothing_can_be_started(site: Site) -> None:
    session = await site.start()
    for path in ("/", "/lab", "/api/stats", "/spawn", "/wait/x", "/robots.txt"):
        answer = await site.browser().get(path, headers={"host": host(session)})
        assert answer.status_code == 307
        assert answer.headers["location"] == f"https://{host(session)}{session.base}"
    for path in ("/spawn", "/api/spawn"):
        await site.browser().post(path, data={"offer": "0"}, headers={"host": host(session)})
    assert site.spawner.started == 1


async def test_a_websocket_goes_through_under_its_own_name_alone(site: Site) -> None:
    session, other = await site.start(), await site.start(site.browser(), headers={"host": FRONT})
    port = urlsplit(site.url).port

    def opened(name: str) -> connect:
        return connect(f"ws://{name}{session.base}echo", host="127.0.0.1", port=port, proxy=None)

    async with opened(host(session)) as tab:
        await tab.send("x")
        assert await tab.recv() == "x"
    for name in (FRONT, host(other), "example.org"):
        with pytest.raises(InvalidStatus) as refused:
            async with opened(name):
                pass
        assert refused.value.response.status_code == 404


async def test_the_page_of_a_session_that_ended_has_its_style_and_script_under_that_name(site: Site) -> None:
    session = await site.start()
    await site.sessions.end(session.name, "Over.", reason="operator")
    page = await at(site, session, f"lab?token={session.token}", **HTML)
    assert "Over." in page.text
    for mark in ('<link rel="stylesheet" href="', '<script src="'):
        path = page.text.split(mark)[1].partition('"')[0]
        loaded = await site.browser().get(path, headers={"host": host(session)})
        assert loaded.status_code == 200, path


async def test_a_form_may_lead_to_every_session_and_to_the_queue(site: Site) -> None:
    session = await site.start()
    await site.sessions.end(session.name, "Over.", reason="operator")
    for page in (await site.get("/"), await at(site, session, f"lab?token={session.token}", **HTML)):
        policy = page.headers["content-security-policy"]
        assert f"form-action 'self' https://{FRONT} https://*.{FRONT};" in policy


async def test_who_goes_on_is_led_to_the_new_name_or_to_the_queue_at_the_front_page(
    site: Site, clock: HeldClock
) -> None:
    session = await site.start()
    await site.sessions.end(session.name, "Over.", reason="operator")
    headers, form = {"host": host(session)}, {"token": session.token, "page": "tree"}
    others = [await site.start(site.browser(), headers={"host": FRONT}) for _ in range(3)]
    waits = await site.browser().post(f"{session.base}-/again", data=form, headers=headers)
    assert waits.headers["location"].startswith(f"https://{FRONT}/wait/")
    await site.sessions.end(others[0].name, "", reason="operator")
    await eventually(lambda: len(list(site.sessions)) == 3)
    led = await site.get(urlsplit(waits.headers["location"]).path)
    new = Found(led.headers["location"])
    assert new.url == f"https://{host(new)}{new.base}tree?token={session.token}"
    await eventually(lambda: not site.opened.again.opening)
    clock.forward(3)
    moved = await at(site, session, "lab", **HTML)
    assert moved.headers["location"] == f"https://{host(new)}{new.base}lab"


@pytest.mark.parametrize(
    ("domain", "setting", "by_name"),
    [
        ("example.org", "auto", True),
        ("localhost", "auto", False),
        ("fleet.localhost", "auto", False),
        ("10.0.0.7", "auto", False),
        ("localhost", "name", True),
        ("example.org", "path", False),
    ],
)
def test_sessions_have_names_of_their_own_but_on_a_laptop(domain: str, setting: str, by_name: bool) -> None:
    assert Places(Names(domain=domain), session_hosts=setting).by_name is by_name


def test_a_name_that_is_no_sessions_is_none() -> None:
    places = Places(Names(domain="example.org", port=8443), session_hosts="name")
    assert places.session_of(f"abcdefgh-north.{FRONT}:8443") == "abcdefgh-north"
    for name in ("", FRONT, f".{FRONT}", f"a.b.{FRONT}", "abcdefgh-north.example.org", f"x-y.{FRONT}", f"{FRONT}.evil"):
        assert places.session_of(name) == "", name
    assert places.url("abcdefgh-north", "/user/x/") == f"https://abcdefgh-north.{FRONT}:8443/user/x/"
