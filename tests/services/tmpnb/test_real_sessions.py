"""The same application over real sessions: JupyterLab in a sandbox, with a kernel that computes."""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import connect

from amalthea.model.clock import system_clock
from amalthea.model.errors import ProviderError
from amalthea.model.fleet import Site as Place
from amalthea.model.service import Listen, Runtime
from amalthea.model.spawner import Environment, Spawner
from amalthea.model.wire import convert
from amalthea.providers.process.spawner import ProcessSpawner
from amalthea.services.tmpnb.opening import Opened, opened
from amalthea.services.tmpnb.settings import Settings
from amalthea.store.memory import MemoryStore
from tests.contracts.notebook import Kernel
from tests.services.tmpnb.site import HTML, LOCAL, QUICK, Found, certificates
from tests.serving import serving

pytest.importorskip("jupyterlab", reason="sessions need amalthea[tmpnb]")
pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.xdist_group("warm")]

SECONDS = 60.0


@asynccontextmanager
async def open_spawner(kind: str, environments: Sequence[Environment]) -> AsyncIterator[Spawner]:
    """As in a fleet, in a directory with a short path."""
    with tempfile.TemporaryDirectory(prefix="r-") as directory:
        here = [msgspec.structs.replace(environment, python=sys.executable) for environment in environments]
        try:
            spawner = await ProcessSpawner.open(Path(directory, "s"), here)
        except ProviderError as error:
            pytest.skip(f"sessions do not run here: {error}")
        try:
            yield spawner
        finally:
            await spawner.aclose()


class Real:
    """A running service. `client` is a browser."""

    def __init__(self, parts: Opened, port: int, client: httpx2.AsyncClient) -> None:
        self.parts = parts
        self.port = port
        self.client = client

    async def run(self, session: Found, code: str) -> str:
        """What a cell says, by way of the service's tunnel."""
        started = await self.client.post(
            f"{session.base}api/kernels", json={"name": "python3"}, headers=session.authorized
        )
        assert started.status_code == 201, started.text
        number = started.json()["id"]
        url = f"ws://127.0.0.1:{self.port}{session.base}api/kernels/{number}/channels?token={session.token}"
        async with connect(url, max_size=None, proxy=None) as connection:
            return await Kernel(number, connection).run(code)


@pytest.fixture
async def real() -> AsyncIterator[Real]:
    settings = convert({**QUICK, "pool": 1, "save_every": "200 ms"}, Settings)
    runtime = Runtime(listen=Listen(), store=MemoryStore(), clock=system_clock, open_spawner=open_spawner)
    place = Place(name="north", fleet="test", names=LOCAL)
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            opened(settings, place, runtime=runtime, registry=CollectorRegistry(), tls=certificates())
        )
        port = await stack.enter_async_context(serving(parts.application, ws=parts.tunnels, proxy_headers=False))
        client = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=SECONDS, verify=certificates(), trust_env=False
        )
        yield Real(parts, port, await stack.enter_async_context(client))


async def test_a_visitor_computes_saves_loses_his_session_and_goes_on_with_his_files(real: Real) -> None:
    spawned = await real.client.post("/api/spawn")
    session = Found(spawned.json()["url"])

    page = await real.client.get(session.url, headers=HTML)
    assert page.status_code == 200
    assert "jupyter-config-data" in page.text
    assert page.text.count(f'data-session="{session.base}"') == 1
    stranger = httpx2.AsyncClient(base_url=real.client.base_url, timeout=SECONDS, verify=certificates())
    assert (await stranger.get(f"{session.base}api/contents")).status_code == 403
    await stranger.aclose()

    assert await real.run(session, "1 + 1") == "2"
    assert await real.run(session, "open('made.txt', 'w').write('by a cell')") == "9"
    body = {"type": "file", "format": "text", "content": "by hand"}
    saved = await real.client.put(f"{session.base}api/contents/saved.txt", json=body, headers=session.authorized)
    assert saved.status_code == 201

    async with asyncio.timeout(SECONDS):
        while not await kept(real, session, "made.txt", "saved.txt"):
            await asyncio.sleep(0.05)

    told = (await real.client.get(f"{session.base}-/time", headers=session.authorized)).json()
    assert (told["trouble"], told["slowed"]) == ("", False)
    await real.client.post(f"{session.base}-/end", headers=session.authorized)
    ended = await real.client.get(session.url, headers=HTML)
    assert "You ended it." in ended.text
    archive = await real.client.get(f"{session.base}-/work.zip?token={session.token}")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as work:
        assert work.read("made.txt") == b"by a cell"

    again = await real.client.post(f"{session.base}-/again", data={"token": session.token, "page": "lab"})
    new = Found(await there(real, again))
    assert await real.run(new, "print(open('made.txt').read(), open('saved.txt').read())") == "by a cell by hand"


async def kept(real: Real, session: Found, *paths: str) -> bool:
    """Whether there is a snapshot with these files."""
    snapshot = await real.parts.work.newest(session.name)
    return snapshot is not None and {file.path for file in snapshot.files} >= set(paths)


async def there(real: Real, answer: httpx2.Response) -> str:
    """Where a click leads to in the end, also by way of the queue."""
    async with asyncio.timeout(SECONDS):
        while answer.status_code != 303 or "/user/" not in answer.headers["location"]:
            await asyncio.sleep(0.05)
            answer = await real.client.get(answer.headers.get("location") or answer.request.url)
    location: str = answer.headers["location"]
    return location
