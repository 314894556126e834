"""How a session ends, and what there is instead of it."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from amalthea.model.errors import ProviderError
from amalthea.services.tmpnb.errors import NoSuchSession
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.plain_spawner import PlainSpawner
from tests.services.tmpnb.site import HTML, Found, Site, eventually, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock
from tests.store.faulty import FaultyStore, Mood


async def page(site: Site, session: Found, path: str = "lab") -> tuple[int, str]:
    answer = await site.get(session.base + path, headers=HTML)
    return answer.status_code, answer.text


async def test_a_visitor_ends_his_session_and_its_page_says_so(site: Site) -> None:
    session = await site.start()
    answer = await site.post(f"{session.base}-/end", headers=session.authorized)
    assert answer.json() == {"ended": True}
    assert not site.spawner.sessions
    status, text = await page(site, session)
    assert "You ended it. That was at 00:00 UTC." in text
    assert "Go on with your files" in text
    assert status == 200
    assert site.count("ends_total", reason="visitor") == 1
    with pytest.raises(ProviderError):
        site.spawner.home(session.name)


async def test_a_session_that_ends_by_itself_is_noticed_at_once_and_why_is_told(site: Site) -> None:
    session = await site.start()
    await site.spawner.end(session.name, "It had no memory left.")
    await eventually(lambda: len(site.sessions) == 0)
    assert "It had no memory left." in (await page(site, session))[1]
    assert site.count("ends_total", reason="itself") == 1


async def test_one_that_dies_while_it_starts_ends_like_any_other(site: Site) -> None:
    session = await site.start()
    dying = asyncio.create_task(site.spawner.end(session.name, "dead"))
    await site.click()
    await dying
    await eventually(lambda: len(site.sessions) == 1)


async def test_an_operator_sees_the_sessions_and_never_what_opens_them_and_ends_one(
    site: Site, clock: HeldClock
) -> None:
    session = await site.start(headers={"x-forwarded-for": "192.0.2.7"})
    site.spawner.uses(session.name, cpu=12.5)
    clock.forward(60)
    answer = await site.admin.get("/-/sessions")
    assert session.token not in answer.text
    told = answer.json()
    (one,) = told["sessions"]
    assert (told["free"], told["ready"], told["waiting"]) == (19, 0, 0)
    assert (one["name"], one["network"], one["environment"], one["age"]) == (session.name, "192.0.2.0/24", "python", 60)
    assert (one["left"], one["idle"], one["busy"], one["slowed"]) == (840, 60, False, False)
    assert one["usage"]["cpu"] == 12.5
    ended = await site.admin.delete(f"/-/sessions/{session.name}")
    assert ended.json() == {"ended": True}
    assert "Whoever runs this service ended it." in (await page(site, session))[1]
    assert (await site.admin.delete(f"/-/sessions/{session.name}")).status_code == 404
    walls = (await site.admin.get("/-/walls")).json()
    assert [wall["name"] for wall in walls] == ["namespaces"]


async def test_a_program_is_told_in_its_own_way_that_a_session_has_ended(site: Site) -> None:
    session = await site.start()
    await site.sessions.end(session.name, "over", reason="operator")
    for method, path in (("GET", "api/kernels"), ("POST", "api/contents"), ("PUT", "lab")):
        answer = await site.client.request(method, session.base + path)
        assert (answer.status_code, answer.json()["message"]) == (503, "This session has ended."), path
    assert (await site.get(f"{session.base}-/time")).status_code == 404


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("abcdefgh-north", "This session is not running"),
        ("abcdefgh-south", "Your session was at south"),
        ("abcdefgh-us-east", "Your session was at us-east"),
        ("abcdefgh-far-north", "Your session was at far-north"),
        ("nonsense", "This session is not running"),
        ("-", "This session is not running"),
        ("x" * 65, "There is no such session"),
        ("x" * 80 + "-south", "There is no such session"),
    ],
)
async def test_a_session_that_never_was_is_a_page_that_says_what_is_known_of_it(
    site: Site, name: str, says: str
) -> None:
    answer = await site.get(f"/user/{name}/lab", headers=HTML)
    assert answer.status_code == 404
    assert says in answer.text


@pytest.mark.parametrize("name", ["%2e%2e", "a%2Fb", "a.b", "a%00b", "%3Cscript%3E", "ü", "x" * 300])
async def test_a_name_that_is_none_is_a_page_that_says_so_whatever_is_asked(site: Site, name: str) -> None:
    for method, path in (
        ("GET", "/lab"),
        ("GET", ""),
        ("GET", "/-/work.zip"),
        ("POST", "/-/again"),
        ("POST", "/-/end"),
    ):
        answer = await site.client.request(method, f"/user/{name}{path}", headers=HTML)
        assert answer.status_code in (302, 404), (method, path)
        assert "<script>" not in answer.text


async def test_the_end_closes_open_websockets(site: Site) -> None:
    session = await site.start()
    async with site.socket(session) as tab:
        await site.sessions.end(session.name, "", reason="operator")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(tab.recv(), 20)


async def test_several_who_end_a_session_at_once_end_it_once(site: Site) -> None:
    session = await site.start()
    site.spawner.exits.clear()
    ends = [asyncio.create_task(site.sessions.end(session.name, f"{n}", reason="operator")) for n in range(4)]
    dying = asyncio.create_task(site.spawner.end(session.name, "itself"))
    await asyncio.sleep(0.01)
    assert len(site.sessions) == 1
    assert site.admission.free == 19
    site.spawner.exits.set()
    await asyncio.gather(*ends, dying)
    assert len(site.sessions) == 0
    assert sum(site.count("ends_total", reason=reason) for reason in ("operator", "itself")) == 1
    with pytest.raises(NoSuchSession):
        await site.sessions.end(session.name, "", reason="operator")


async def test_whoever_asks_for_the_end_and_goes_away_does_not_stop_it(site: Site) -> None:
    session = await site.start()
    site.spawner.exits.clear()
    asking = asyncio.create_task(site.sessions.end(session.name, "", reason="visitor"))
    await asyncio.sleep(0.01)
    asking.cancel()
    site.spawner.exits.set()
    await eventually(lambda: len(site.sessions) == 0 and not site.spawner.sessions)


async def test_a_session_whose_store_is_away_ends_all_the_same(place: Path, clock: HeldClock) -> None:
    store = FaultyStore(MemoryStore())
    async with tmpnb(place, store=store, clock=clock, pool=0) as site:
        session = await site.start()
        store.mood = Mood.FAILING
        await site.sessions.end(session.name, "", reason="operator")
        assert len(site.sessions) == 0
        assert site.admission.free == 20
        assert not site.spawner.sessions
        assert (await page(site, session))[0] == 503


async def test_a_start_that_fails_after_the_way_out_was_opened_closes_it_again(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    def doors(spawner: PlainSpawner) -> None:
        spawner.doors = True

    async with tmpnb(place, store=store, clock=clock, pool=0, before=doors) as site:
        before = asyncio.all_tasks()
        site.spawner.vanishing = True
        page = await site.click()
        assert page.status_code == 503
        await eventually(lambda: not site.spawner.sessions)
        site.spawner.vanishing = False
        await asyncio.sleep(0.01)
        serving = [t for t in asyncio.all_tasks() - before if "Egress" in repr(t)]
        assert not serving
        session = await site.start()
        await eventually(lambda: any("Egress" in repr(task) for task in asyncio.all_tasks()))
        await site.sessions.end(session.name, "", reason="operator")
        await eventually(lambda: not any("Egress" in repr(task) for task in asyncio.all_tasks()))


async def test_closing_the_service_ends_and_keeps_all_sessions(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=1) as site:
        sessions = [await site.start(site.browser()) for _ in range(3)]
        for session in sessions:
            await site.spawner.home(session.name).write("a.txt", session.name.encode())
        spawner = site.spawner
    assert not await spawner.running()
    kept = {info.key.split("/")[2] async for info in store.list("tmpnb/work/") if "/snapshot/" in info.key}
    assert kept == {session.name for session in sessions}


async def test_closing_the_service_while_sessions_start_leaves_nothing(
    place: Path, store: MemoryStore, clock: HeldClock
) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=2) as site:
        await eventually(lambda: site.pool.idle == 2)
        site.spawner.gate.clear()
        clicks = [asyncio.create_task(site.click(site.browser())) for _ in range(5)]
        await eventually(lambda: site.spawner.starting >= 3)
        for click in clicks:
            click.cancel()
        spawner = site.spawner
    assert not await spawner.running()
    gc.collect()


async def test_what_is_remembered_of_sessions_that_ended_is_bounded(site: Site) -> None:
    for _ in range(3):
        session = await site.start()
        await site.sessions.end(session.name, "", reason="operator")
    assert len(site.sessions._ended) == 3
    assert not site.sessions._watching
    assert not site.sessions._upstreams
    assert not site.sessions._ending
