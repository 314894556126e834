"""A running tmpnb: a real server on a free port, in front of the real application, over plain sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import httpx2
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect

from amalthea.model.fleet import Names
from amalthea.model.fleet import Site as Place
from amalthea.model.service import Listen, Runtime
from amalthea.model.spawner import Environment, Spawner
from amalthea.model.store import ObjectStore
from amalthea.model.wire import convert
from amalthea.services.tmpnb.opening import Opened, opened
from amalthea.services.tmpnb.operating import Operating
from amalthea.services.tmpnb.settings import Settings
from amalthea.web.admin import admin_application
from tests.services.tmpnb.plain_server import PlainServer
from tests.services.tmpnb.plain_spawner import PlainSpawner
from tests.services.tmpnb.plain_spawner import opened as open_plain
from tests.services.tmpnb.work.scenes import HeldClock
from tests.serving import serving

LOCAL = Names(domain="localhost", scheme="http")
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SECONDS = 20.0
QUICK = {"lite": False, "headroom": "0 B", "egress": {"indexes": False}}
"""What a test of something else does without."""


@cache
def certificates() -> SSLContext:
    """Read once: it takes longer than most tests."""
    return httpx2.create_ssl_context()


async def eventually(condition: Callable[[], object], *, seconds: float = SECONDS) -> None:
    """Wait until it holds: a test never knows how long a busy machine takes."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class Found:
    """A session as a visitor has it: its address, its name and its token."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.name = parts.path.split("/")[2]
        self.base = f"/user/{self.name}/"
        self.token = parts.query.rpartition("token=")[2]
        self.authorized = {"authorization": f"token {self.token}"}


class Site:
    """A running service. `client` is a browser that keeps its cookies, `admin` its operator."""

    def __init__(
        self, opened: Opened, spawner: PlainSpawner, *, url: str, admin: str, registry: CollectorRegistry
    ) -> None:
        self.opened = opened
        self.sessions = opened.sessions
        self.admission = opened.admission
        self.pool = opened.pool
        self.culler = opened.culler
        self.spawner = spawner
        self.url = url
        self.client = self.browser()
        self.admin = httpx2.AsyncClient(base_url=admin, timeout=SECONDS, verify=False, trust_env=False)
        self._registry = registry
        self._others = [self.client, self.admin]

    def browser(self) -> httpx2.AsyncClient:
        """Another one, with cookies of its own."""
        made = httpx2.AsyncClient(base_url=self.url, timeout=SECONDS, verify=False, trust_env=False)
        if hasattr(self, "_others"):
            self._others.append(made)
        return made

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.client.get(path, **options)

    async def post(self, path: str, **options: Any) -> httpx2.Response:
        return await self.client.post(path, **options)

    async def click(self, client: httpx2.AsyncClient | None = None, **options: Any) -> httpx2.Response:
        """The answer to a click on the first offer, or on what `data` says."""
        options.setdefault("data", {"offer": "0"})
        return await (client or self.client).post("/spawn", **options)

    async def start(self, client: httpx2.AsyncClient | None = None, **options: Any) -> Found:
        """A session, by a click."""
        answer = await self.click(client, **options)
        assert answer.status_code == 303, answer.text
        assert "/user/" in answer.headers["location"], answer.headers
        return Found(answer.headers["location"])

    def server(self, session: Found) -> PlainServer:
        """What answers in it."""
        return self.spawner.sessions[session.name].server

    def socket(
        self, session: Found, path: str = "echo", **options: Any
    ) -> AbstractAsyncContextManager[ClientConnection]:
        """A WebSocket to it."""
        url = f"ws://{urlsplit(self.url).netloc}{session.base}{path}"
        return connect(url, max_size=None, proxy=None, **options)

    def count(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(f"amalthea_tmpnb_{name}", labels) or 0

    async def aclose(self) -> None:
        for client in self._others:
            await client.aclose()


@asynccontextmanager
async def tmpnb(
    directory: Path,
    *,
    store: ObjectStore,
    clock: HeldClock,
    site: str = "north",
    names: Names = LOCAL,
    before: Callable[[PlainSpawner], None] = lambda _: None,
    **settings: Any,
) -> AsyncIterator[Site]:
    """One site; `before` tells its spawner what to do before anything starts."""
    made: list[PlainSpawner] = []

    @asynccontextmanager
    async def open_spawner(kind: str, environments: Sequence[Environment]) -> AsyncIterator[Spawner]:
        home = directory / site
        home.mkdir(exist_ok=True)
        async with open_plain(PlainSpawner(home, environments, clock=clock)) as spawner:
            before(spawner)
            made.append(spawner)
            yield spawner

    registry = CollectorRegistry()
    runtime = Runtime(listen=Listen(), store=store, clock=clock, open_spawner=open_spawner)
    place = Place(name=site, fleet="test", names=names)
    async with AsyncExitStack() as stack:
        ready = convert({**QUICK, **settings}, Settings)
        parts = await stack.enter_async_context(
            opened(ready, place, runtime=runtime, registry=registry, tls=certificates())
        )
        admin = admin_application(parts.ready, registry, Operating(parts, clock=clock).routes())
        port = await stack.enter_async_context(serving(parts.application, ws=parts.tunnels, proxy_headers=False))
        operators = await stack.enter_async_context(serving(admin))
        url, operator = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{operators}"
        running = Site(parts, made[0], url=url, admin=operator, registry=registry)
        stack.push_async_callback(running.aclose)
        yield running
