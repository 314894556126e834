"""tmpnb as the fleet knows it, and as a workload runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from amalthea.model.errors import PortInUse, UsageError
from amalthea.model.fleet import Fleet, Names, Site
from amalthea.model.service import Listen, OpenSpawner, Runtime, Service
from amalthea.model.spawner import Environment, Guarantee, Spawner
from amalthea.model.units import Duration
from amalthea.model.wire import convert
from amalthea.services.tmpnb.service import Tmpnb
from amalthea.services.tmpnb.settings import Settings
from amalthea.store.memory import MemoryStore
from amalthea.web.server import bind
from tests.machine import free_ports
from tests.services.tmpnb.plain_spawner import WALL, PlainSpawner
from tests.services.tmpnb.plain_spawner import opened as open_plain
from tests.services.tmpnb.site import QUICK, Found, certificates, eventually
from tests.services.tmpnb.work.scenes import HeldClock

PUBLIC = Site(name="north", fleet="test", names=Names(domain="example.org"))
LAPTOP = Site(name="north", fleet="test", names=Names(domain="localhost", scheme="http"))
BROKEN = Guarantee(name="cgroups", holds=False, promise="it has so much memory", detail="no controller")
READY = convert(QUICK, Settings)


def spawner_in(place: Path, made: list[PlainSpawner], *, walls: Sequence[Guarantee] = (WALL,)) -> OpenSpawner:
    @asynccontextmanager
    async def opening(kind: str, environments: Sequence[Environment]) -> AsyncIterator[Spawner]:
        async with open_plain(PlainSpawner(place, environments, clock=HeldClock())) as spawner:
            spawner.walls = walls
            made.append(spawner)
            yield spawner

    return opening


def runtime(listen: Listen, open_spawner: OpenSpawner | None) -> Runtime:
    return Runtime(listen=listen, store=MemoryStore(), clock=HeldClock(), open_spawner=open_spawner)


@asynccontextmanager
async def served(place: Path, made: list[PlainSpawner], **settings: object) -> AsyncIterator[Listen]:
    """The whole service, as a workload runs it."""
    http, admin = free_ports(2)
    listen = Listen(http=http, admin=admin)
    ready = convert({**QUICK, **settings}, Settings)
    task = asyncio.create_task(Tmpnb().serve(ready, LAPTOP, runtime(listen, spawner_in(place, made))))
    async with httpx2.AsyncClient(verify=certificates()) as client, asyncio.timeout(20):
        while not task.done():
            try:
                await client.get(f"http://127.0.0.1:{admin}/-/healthz")
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.02)
    try:
        yield listen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_served_tmpnb_passes_its_own_probes_and_is_ready(place: Path) -> None:
    made: list[PlainSpawner] = []
    async with served(place, made) as listen, httpx2.AsyncClient(verify=certificates()) as client:
        for probe in Tmpnb().probes(READY, Fleet(name="test", domain="localhost")):
            answer = await client.get(f"http://127.0.0.1:{listen.http}{probe.path}", headers={"host": "try.localhost"})
            assert (answer.status_code, probe.contains in answer.text) == (probe.status, True)
        admin = f"http://127.0.0.1:{listen.admin}"
        ready = await client.get(f"{admin}/-/readyz")
        metrics = await client.get(f"{admin}/-/metrics")
        assert (await client.get(f"{admin}/-/sessions")).json()["sessions"] == []
        assert (await client.get(f"http://127.0.0.1:{listen.http}/-/sessions")).status_code == 404
    assert (ready.status_code, ready.text) == (200, "ok\n")
    assert "amalthea_tmpnb_sessions" in metrics.text


async def test_a_session_and_its_websocket_are_served_and_end_with_the_service(place: Path) -> None:
    made: list[PlainSpawner] = []
    async with served(place, made) as listen, httpx2.AsyncClient(verify=certificates()) as client:
        started = await client.post(f"http://127.0.0.1:{listen.http}/api/spawn")
        session = Found(started.json()["url"])
        async with connect(f"ws://127.0.0.1:{listen.http}{session.base}echo", proxy=None) as tab:
            await tab.send("hello")
            assert await tab.recv() == "hello"
            await eventually(lambda: made[0].sessions)
    assert not await made[0].running()


async def test_a_service_that_is_stopped_while_much_goes_on_stops(place: Path) -> None:
    made: list[PlainSpawner] = []
    async with served(place, made, pool=3) as listen, httpx2.AsyncClient(verify=certificates()) as client:
        url = f"http://127.0.0.1:{listen.http}/api/spawn"
        asking = [asyncio.create_task(client.post(url)) for _ in range(10)]
        await eventually(lambda: made[0].attempts > 3)
    await asyncio.gather(*asking, return_exceptions=True)
    assert not await made[0].running()


async def test_a_port_in_use_is_one_clear_error(place: Path) -> None:
    made: list[PlainSpawner] = []
    with bind("127.0.0.1", 0) as taken:
        listen = Listen(http=taken.getsockname()[1], admin=free_ports(1)[0])
        with pytest.raises(PortInUse, match="in use"):
            await Tmpnb().serve(READY, LAPTOP, runtime(listen, spawner_in(place, made)))
    assert not await made[0].running()


async def test_without_anything_that_starts_sessions_it_does_not_begin() -> None:
    with pytest.raises(UsageError, match="nothing here that starts sessions"):
        await Tmpnb().serve(READY, LAPTOP, runtime(Listen(), None))


async def test_the_public_is_not_served_where_a_wall_is_missing(place: Path) -> None:
    made: list[PlainSpawner] = []
    opening = spawner_in(place, made, walls=(WALL, BROKEN))
    with pytest.raises(UsageError, match="cgroups: no controller") as error:
        await Tmpnb().serve(READY, PUBLIC, runtime(Listen(), opening))
    assert "unprotected = true" in error.value.hint
    assert not await made[0].running()


@pytest.mark.parametrize(("site", "unprotected"), [(PUBLIC, True), (LAPTOP, False)])
async def test_whoever_trusts_all_visitors_may_serve_without_walls(place: Path, site: Site, unprotected: bool) -> None:
    opening = spawner_in(place, [], walls=(BROKEN,))
    settings = convert({**QUICK, "unprotected": unprotected}, Settings)
    with bind("127.0.0.1", 0) as taken:
        listen = Listen(http=taken.getsockname()[1], admin=free_ports(1)[0])
        with pytest.raises(PortInUse):  # so far it gets
            await Tmpnb().serve(settings, site, runtime(listen, opening))


def fleet(domain: str = "example.org") -> Fleet:
    return Fleet(name="test", domain=domain)


def test_it_is_a_service() -> None:
    service: Service[Settings] = Tmpnb()
    assert (service.name, service.settings, service.watches) == ("tmpnb", Settings, False)
    (workload,) = service.workloads(Settings(), PUBLIC)
    assert workload.argv == ("amalthea", "serve", "tmpnb")
    assert workload.grace >= 20 + 5  # the last snapshot of each session, after requests under way


@pytest.mark.parametrize(
    ("made", "keyed"),
    [
        (lambda: (Settings(), fleet()), {"host": "*.try", "prefix": "/"}),
        (lambda: (Settings(), fleet("localhost")), {"host": "try", "prefix": "/user"}),
        (lambda: (Settings(session_hosts="path"), fleet()), {"host": "try", "prefix": "/user"}),
    ],
)
def test_the_edge_sends_a_session_to_its_site_and_all_else_to_any(
    made: Callable[[], tuple[Settings, Fleet]], keyed: dict[str, str]
) -> None:
    front, session = Tmpnb().routes(*made())
    assert (front.service, front.host, front.prefix, front.keyed) == ("tmpnb", "try", "/", False)
    assert {"host": session.host, "prefix": session.prefix} == keyed
    assert session.keyed
    assert all(not route.timeout and not route.hedge for route in (front, session))


def test_the_front_page_falls_back_to_another_service_and_a_session_does_not() -> None:
    elsewhere = "https://binder.example/"
    front, session = Tmpnb().routes(Settings(fallback=elsewhere), fleet())
    assert (front.fallback.redirect, session.fallback.redirect) == (elsewhere, "")


def test_its_data_is_kept_as_long_as_the_settings_say_and_not_backed_up() -> None:
    settings = convert({"keep": "3 d", "save_every": "30 s"}, Settings)
    work, moves = Tmpnb().datasets(settings)
    assert (work.prefix, work.retention, work.rpo, work.backup) == (
        "tmpnb/work/",
        Duration(3 * 86400),
        Duration(30),
        False,
    )
    assert (moves.prefix, moves.retention, moves.backup) == ("tmpnb/moved/", Duration(3 * 86400), False)
