"""JupyterLab as everybody has it: started by itself, and by a JupyterHub."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import psutil

from benchmarks.report import Cell, median
from tests.machine import free_ports
from tests.system.visitor import Link, Visitor

_CONFIG = Path(__file__).with_name("hub_config.py")
_SECONDS = 60


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One server: seconds to its page and to the first output, and bytes that are its own."""

    page: float
    output: float
    private: float = 0


def rows(notes: list[str], *, times: int, hub: bool) -> Sequence[tuple[Cell, ...]]:
    """A row for each of the two that is installed; a `hub` takes a while to start and to end."""
    found = [_row("jupyter lab", [asyncio.run(_lab()) for _ in range(times)])]
    if not hub:
        notes.append("--quick starts no JupyterHub")
        return found
    try:
        import jupyterhub  # noqa: F401
    except ImportError:
        notes.append("jupyterhub is not installed")
        return found
    proxied = shutil.which("configurable-http-proxy") is not None
    if not proxied:
        notes.append("configurable-http-proxy is not installed: the JupyterHub's servers are asked without a proxy")
    name = "JupyterHub, SimpleLocalProcessSpawner" + ("" if proxied else ", no proxy")
    with _hub(proxied=proxied) as running:
        starts = [asyncio.run(_through(running, f"visitor{number}")) for number in range(times)]
    return [*found, _row(name, starts)]


def _row(name: str, starts: Sequence[Start]) -> tuple[Cell, ...]:
    private = median([one.private for one in starts]) / 1e6
    pages, outputs = [one.page for one in starts], [one.output for one in starts]
    return (name, 1e3 * median(pages), 1e3 * median(outputs), private or None)


async def _lab() -> Start:
    """One JupyterLab, from the command."""
    (port,) = free_ports(1)
    token = secrets.token_hex(16)
    link = Link(url=f"/lab?token={token}", base="/", token=token)
    with tempfile.TemporaryDirectory() as home:
        options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}", "--no-browser", "--allow-root"]
        began = time.perf_counter()
        with _process(sys.executable, "-m", "jupyterlab", *options, cwd=home, env={"HOME": home}) as process:
            return await _measured(began, port, link, process.pid)


async def _measured(began: float, port: int, link: Link, pid: int = 0) -> Start:
    """Ask until the page is there, then have a kernel compute."""
    async with Visitor(port, host="127.0.0.1") as visitor:
        visitor.client.headers.update(link.shown)
        while True:
            try:
                await visitor.page(link)
                break
            except (httpx2.TransportError, RuntimeError):
                if time.perf_counter() - began > _SECONDS:
                    raise
                await asyncio.sleep(0.01)
        page = time.perf_counter() - began
        async with visitor.channels(link, await visitor.kernel(link)) as channels:
            await channels.first_output("1+1")
            return Start(page=page, output=time.perf_counter() - began, private=_private(pid) if pid else 0)


def _private(pid: int) -> float:
    top = psutil.Process(pid)
    return float(sum(one.memory_full_info().uss for one in (top, *top.children(recursive=True))))


class _Hub(msgspec.Struct, frozen=True, kw_only=True):
    """One that runs: its API, what opens it, where it writes its routes, and the port of its proxy or 0."""

    client: httpx2.Client
    token: str
    routes: Path
    proxy: int


@contextmanager
def _hub(*, proxied: bool) -> Iterator[_Hub]:
    public, port = free_ports(2)
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as place:
        told = {"public": public, "port": port, "token": token, "directory": place, "proxied": proxied}
        environment = {"SPAWN_BENCHMARK": json.dumps(told)}
        with (
            _process(sys.executable, "-m", "jupyterhub", "-f", str(_CONFIG), cwd=place, env=environment),
            httpx2.Client(
                base_url=f"http://127.0.0.1:{port}/hub/api",
                headers={"authorization": f"token {token}"},
                trust_env=False,
                timeout=_SECONDS,
            ) as client,
        ):
            _until_it_answers(client)
            yield _Hub(client=client, token=token, routes=Path(place), proxy=public if proxied else 0)


def _until_it_answers(client: httpx2.Client) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            client.get("/").raise_for_status()
            return
        except httpx2.HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


async def _through(hub: _Hub, name: str) -> Start:
    """One server of the hub, from the request for it."""
    hub.client.post(f"/users/{name}").raise_for_status()
    began = time.perf_counter()
    hub.client.post(f"/users/{name}/server").raise_for_status()
    route = hub.routes / f"{name}.route"
    while not hub.proxy and not route.exists():
        if time.perf_counter() - began > _SECONDS:
            raise TimeoutError("the JupyterHub starts no server")
        await asyncio.sleep(0.01)
    port = hub.proxy or int(route.read_text())
    link = Link(url=f"/user/{name}/lab", base=f"/user/{name}/", token=hub.token)
    try:
        return await _measured(began, port, link)
    finally:
        hub.client.delete(f"/users/{name}/server").raise_for_status()


@contextmanager
def _process(*argv: str, cwd: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that ends with the block, and all that it started."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, cwd=cwd, env={**os.environ, **env}, stdout=quiet, stderr=quiet) as started:
        try:
            yield started
        finally:
            family = [*psutil.Process(started.pid).children(recursive=True), psutil.Process(started.pid)]
            for one in family:
                one.terminate()
            _, left = psutil.wait_procs(family, timeout=10)
            for one in left:
                one.kill()
