"""Opens everything that tmpnb needs, and closes it, last of all the sessions, whose work is saved."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from ssl import SSLContext
from typing import Any

import httpx2
import msgspec
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from amalthea import __version__
from amalthea.model.errors import UsageError
from amalthea.model.fleet import Site
from amalthea.model.service import Runtime
from amalthea.model.spawner import Order, Spawner
from amalthea.services.tmpnb.egress.indexes import index_hosts
from amalthea.services.tmpnb.egress.instruments import EgressInstruments
from amalthea.services.tmpnb.egress.proxy import Egress
from amalthea.services.tmpnb.egress.rules import Rules
from amalthea.services.tmpnb.forwarding.tunnel import Tunnels
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.lite.first_use import FirstUse, cache_directory
from amalthea.services.tmpnb.moves import Moves
from amalthea.services.tmpnb.pages.again import Again
from amalthea.services.tmpnb.pages.answers import page_csp
from amalthea.services.tmpnb.pages.api import Api
from amalthea.services.tmpnb.pages.door import Apart, Door
from amalthea.services.tmpnb.pages.front import Front
from amalthea.services.tmpnb.pages.house import LITE, House
from amalthea.services.tmpnb.pages.own import Own
from amalthea.services.tmpnb.pages.waiting import Waiting
from amalthea.services.tmpnb.pages.wishes import Wishes
from amalthea.services.tmpnb.places import Places
from amalthea.services.tmpnb.sense import check
from amalthea.services.tmpnb.sessions.admission import Admission
from amalthea.services.tmpnb.sessions.culling import Culler
from amalthea.services.tmpnb.sessions.headroom import Headroom
from amalthea.services.tmpnb.sessions.keeping import Keeping
from amalthea.services.tmpnb.sessions.limits import Bans, Shares
from amalthea.services.tmpnb.sessions.pool import Pool
from amalthea.services.tmpnb.sessions.sessions import Sessions
from amalthea.services.tmpnb.sessions.way_out import WayOut
from amalthea.services.tmpnb.settings import Settings
from amalthea.services.tmpnb.starting.first_files import FirstFiles
from amalthea.services.tmpnb.starting.repositories import Repositories
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.instruments import Instruments as WorkInstruments
from amalthea.services.tmpnb.work.saver import Pace, Saver
from amalthea.services.tmpnb.work.sweeping import Sweep
from amalthea.services.tmpnb.work.work import Work
from amalthea.web.application import application
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages
from amalthea.web.visitors import Visitors

log = logging.getLogger(__name__)

PACKAGE = "amalthea.services.tmpnb"
_SWEEP_SECONDS = 3600.0
_AFTER_A_FAULT = 1.0


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The visitors' application, what takes its WebSockets, and what its operators look at."""

    application: ASGIApp
    tunnels: Tunnels
    ready: Callable[[], Coroutine[Any, Any, str]]
    sessions: Sessions
    admission: Admission
    pool: Pool
    culler: Culler
    again: Again
    work: Work
    spawner: Spawner
    egress: Egress


@asynccontextmanager
async def opened(
    settings: Settings,
    site: Site,
    *,
    runtime: Runtime,
    registry: CollectorRegistry,
    tls: SSLContext | None = None,
) -> AsyncIterator[Opened]:
    """Everything open until the block ends. Raises `UsageError` for settings that cannot be served.

    `tls` decides which certificates of forges are good.
    """
    check(settings)
    if runtime.open_spawner is None:
        raise UsageError("there is nothing here that starts sessions", where="services.tmpnb.backend")
    environments = tuple(table.environment() for table in settings.environments)
    async with AsyncExitStack() as stack:
        asking = asyncio.create_task(asyncio.to_thread(_index_hosts, settings))
        spawner = await stack.enter_async_context(runtime.open_spawner(settings.backend, environments))
        egress = msgspec.structs.replace(settings.egress, hosts=(*settings.egress.hosts, *await asking))
        settings = msgspec.structs.replace(settings, egress=egress)
        parts = _Parts(settings, site, runtime=runtime, registry=registry, spawner=spawner, tls=tls)
        stack.callback(parts.egress.close)
        await stack.enter_async_context(parts.client)
        stack.push_async_callback(parts.close)
        for work in parts.works():
            stack.push_async_callback(_ended, asyncio.create_task(_lasting(work)))
        stack.callback(parts.tunnels.close)
        yield parts.opened()


def _index_hosts(settings: Settings) -> tuple[str, ...]:
    return index_hosts() if settings.egress.indexes else ()


async def _lasting(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What goes on by itself goes on after a fault, too: without it nobody would get in, or nothing would ever end."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("something failed in a way that nobody thought of; it goes on")
        await asyncio.sleep(_AFTER_A_FAULT)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class _Parts:
    """All parts, made in the order in which one needs the other."""

    def __init__(
        self,
        settings: Settings,
        site: Site,
        *,
        runtime: Runtime,
        registry: CollectorRegistry,
        spawner: Spawner,
        tls: SSLContext | None,
    ) -> None:
        self.settings = settings
        self.site = site
        self.runtime = runtime
        self.registry = registry
        self.spawner = spawner
        self.lite = FirstUse(cache_directory()) if settings.lite else None
        self.instruments = Instruments(registry)
        self.client = httpx2.AsyncClient(
            timeout=30, follow_redirects=False, trust_env=False, verify=tls if tls is not None else True
        )
        self.egress = Egress(Rules(settings.egress), clock=runtime.clock, instruments=EgressInstruments(registry))
        self.work, self.sweep, self.saver, self.keeping = self._keeping()
        self.tunnels = Tunnels(lambda host, path: self.door.end(host, path))
        self.pool = self._pool()
        self.sessions = self._sessions()
        self.admission = self._admission()
        self.moves = Moves(runtime.store, clock=runtime.clock)
        self.culler = self._culler()
        self.house = self._house()
        self.door = self._door()

    def _keeping(self) -> tuple[Work, Sweep, Saver, Keeping]:
        store, clock, settings = self.runtime.store, self.runtime.clock, self.settings
        instruments = WorkInstruments(self.registry)
        bounds = Bounds(total=settings.disk, keep=settings.keep)
        work = Work(store, site=self.site.name, instruments=instruments, bounds=bounds, clock=clock)
        keeping = Keeping(self.spawner)
        pace = Pace(every=settings.save_every)
        saver = keeping.saver = Saver(work, keeping.living, instruments=instruments, pace=pace, clock=clock)
        spared = lambda: {living.session for living in keeping.living()}  # noqa: E731
        return work, Sweep(store, clock=clock, bounds=bounds, instruments=instruments, spared=spared), saver, keeping

    def _pool(self) -> Pool:
        settings = self.settings
        order = Order(
            name="",
            environment="",
            base_url="",
            token="",
            limits=settings.limits,
            ancestors=settings.frame_ancestors,
        )
        sizes = {table.name: settings.pool for table in settings.environments}
        return Pool(
            self.spawner, sizes, site=self.site.name, order=order, room=lambda: self.admission.spare, changed=self._told
        )

    def _told(self) -> None:
        self.sessions.changed.set()

    def _sessions(self) -> Sessions:
        repositories = Repositories(self.settings, client=self.client, clock=self.runtime.clock)
        files = FirstFiles(self.spawner, repositories, self.work, settings=self.settings, instruments=self.instruments)
        return Sessions(
            self.spawner,
            self.pool,
            companions=(files, WayOut(self.spawner, self.egress), self.keeping, self.tunnels),
            settings=self.settings,
            clock=self.runtime.clock,
            instruments=self.instruments,
        )

    def _admission(self) -> Admission:
        settings, clock = self.settings, self.runtime.clock
        shares = Shares(
            starts=settings.starts,
            at_once=settings.at_once,
            living=self.sessions.of_network,
            seconds=lambda: clock().timestamp(),
        )
        return Admission(
            self.sessions,
            self.pool,
            bans=Bans(settings.bans, clock),
            shares=shares,
            headroom=Headroom(settings.headroom),
            capacity=settings.capacity,
            queue=settings.queue,
            instruments=self.instruments,
        )

    def _culler(self) -> Culler:
        return Culler(
            self.sessions,
            self.spawner,
            settings=self.settings,
            clock=self.runtime.clock,
            instruments=self.instruments,
        )

    def _house(self) -> House:
        names = self.site.names
        static = StaticFiles("amalthea.web", PACKAGE)
        static.join("try.page.css", "amalthea.css", "try.css")
        shared = {
            "names": names,
            "site": self.site.name,
            "version": __version__,
            "icon": static.data_url("amalthea.svg"),
        }
        return House(
            site=self.site.name,
            settings=self.settings,
            places=Places(names, session_hosts=self.settings.session_hosts),
            visitors=Visitors(self.settings.trusted_proxies, where="services.tmpnb.trusted_proxies"),
            wishes=Wishes(self.settings),
            admission=self.admission,
            sessions=self.sessions,
            work=self.work,
            saver=self.saver,
            moves=self.moves,
            pages=Pages(static, PACKAGE, title=self.settings.title, **shared),
            static=static,
            clock=self.runtime.clock,
            lite=self.lite,
            token=os.environ.get(self.settings.token_variable, ""),
        )

    def _door(self) -> Door:
        self.own, self.again = Own(self.house), Again(self.house)
        return Door(self.house, own=self.own, again=self.again, instruments=self.instruments)

    def _routes(self) -> list[BaseRoute]:
        pages = (Front(self.house), Waiting(self.house), Api(self.house), self.own, self.again)
        lite = [Mount(LITE.rstrip("/"), self.lite)] if self.lite is not None else []
        return [*(route for page in pages for route in page.routes()), *lite, Route("/user/{rest:path}", self.door)]

    def opened(self) -> Opened:
        """What the service serves."""
        app = application(
            self._routes(),
            site=self.site.name,
            pages=self.house.pages,
            static=self.house.static,
            registry=self.registry,
            csp=page_csp(self.house.places.origins),
        )
        return Opened(
            application=Apart(app, self.house),
            tunnels=self.tunnels,
            ready=self._ready,
            sessions=self.sessions,
            admission=self.admission,
            pool=self.pool,
            culler=self.culler,
            again=self.again,
            work=self.work,
            spawner=self.spawner,
            egress=self.egress,
        )

    def works(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """What goes on by itself."""
        return [
            self.pool.run,
            self.admission.run,
            self.culler.run,
            self.saver.run,
            self.sweep.run,
            self._sweep_moves,
        ]

    async def _sweep_moves(self) -> None:
        while True:
            await self.moves.sweep(self.settings.keep)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def _ready(self) -> str:
        """Ready when sessions can be started, which the pool shows; being full is no fault."""
        return self.pool.trouble

    async def close(self) -> None:
        """End the sessions; their work is saved."""
        await self.sessions.aclose()
        await self.pool.aclose()
        if self.lite is not None:
            await self.lite.aclose()
