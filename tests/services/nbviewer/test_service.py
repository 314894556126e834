from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_type_hints

import httpx2
import msgspec
import pytest
from msgspec import Meta

from amalthea.model.errors import PortInUse
from amalthea.model.fleet import Fleet, Names, Site
from amalthea.model.service import Listen, Runtime, Service
from amalthea.model.wire import convert, decode, encode
from amalthea.services.nbviewer.service import Nbviewer
from amalthea.services.nbviewer.settings import Link, Section, Settings
from amalthea.store.memory import MemoryStore
from amalthea.web.server import bind
from tests.machine import free_port
from tests.services.nbviewer.conftest import Hand, notebook

SITE = Site(name="north", fleet="test", names=Names(domain="example.org"))
FLEET = Fleet(name="test", domain="example.org")


@asynccontextmanager
async def served(listen: Listen) -> AsyncIterator[None]:
    """The whole service, as a workload runs it."""
    runtime = Runtime(listen=listen, store=MemoryStore(), clock=Hand())
    task = asyncio.create_task(Nbviewer().serve(Settings(), SITE, runtime))
    async with httpx2.AsyncClient(verify=False) as client, asyncio.timeout(10):
        while not task.done():
            try:
                await client.get(f"http://127.0.0.1:{listen.admin}/-/healthz")
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.02)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_served_nbviewer_passes_its_own_probes_and_is_ready() -> None:
    listen = Listen(http=free_port(), admin=free_port())
    async with served(listen), httpx2.AsyncClient(verify=False) as client:
        for probe in Nbviewer().probes(Settings(), FLEET):
            headers = {"host": probe.host or "nbviewer.example.org"}
            answer = await client.get(f"http://127.0.0.1:{listen.http}{probe.path}", headers=headers)
            assert (answer.status_code, probe.contains in answer.text) == (probe.status, True)
        ready = await client.get(f"http://127.0.0.1:{listen.admin}/-/readyz")
        metrics = await client.get(f"http://127.0.0.1:{listen.admin}/-/metrics")
    assert (ready.status_code, ready.text) == (200, "ok\n")
    assert "amalthea_nbviewer_pages_total" in metrics.text


async def test_a_port_in_use_is_one_clear_error() -> None:
    with bind("127.0.0.1", 0) as taken:
        listen = Listen(http=taken.getsockname()[1], admin=free_port())
        runtime = Runtime(listen=listen, store=MemoryStore(), clock=Hand())
        with pytest.raises(PortInUse, match="in use"):
            await Nbviewer().serve(Settings(), SITE, runtime)


def test_it_is_a_service() -> None:
    service: Service[Settings] = Nbviewer()
    pages, content = service.routes(Settings(), FLEET)
    assert (pages.service, pages.host, pages.prefix, pages.hedge) == ("nbviewer", "nbviewer", "/", 0.3)
    assert (content.service, content.host, content.prefix) == ("nbviewer", "content.example.org", "/")
    (workload,) = service.workloads(Settings(), SITE)
    assert workload.argv == ("amalthea", "serve", "nbviewer")
    assert all(data.prefix.startswith("nbviewer/") and not data.backup for data in service.datasets(Settings()))


def test_a_fallback_keeps_the_path_and_is_not_for_frames() -> None:
    pages, content = Nbviewer().routes(Settings(fallback="https://nbviewer.org"), FLEET)
    assert pages.fallback.redirect == "https://nbviewer.org"
    assert pages.fallback.keep_path
    assert not content.fallback.redirect


def test_a_content_origin_of_another_domain_is_routed_and_probed_under_its_own_name() -> None:
    settings = Settings(content_url="https://frames.example.net", base_url="/nb/")
    _, content = Nbviewer().routes(settings, FLEET)
    assert FLEET.names.host(content.host) == "frames.example.net"
    probes = {probe.name: (probe.host, probe.path) for probe in Nbviewer().probes(settings, FLEET)}
    assert probes["content origin"] == ("frames.example.net", "/robots.txt")
    assert probes["sample notebook"] == ("", "/nb/sample")


@pytest.mark.parametrize("kind", [Settings, Section, Link])
def test_every_setting_is_described_and_has_an_example_that_fits(kind: type[msgspec.Struct]) -> None:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        metas = [meta for meta in hint.__metadata__ if isinstance(meta, Meta)]
        examples = [example for meta in metas for example in meta.examples or ()]
        assert any(meta.description for meta in metas), name
        assert examples, name
        for example in examples:
            convert(example, hint)


def test_settings_survive_the_way_to_a_process_and_back() -> None:
    assert decode(encode(Settings()), Settings) == Settings()


async def test_the_test_github_serves_a_directory_as_a_program(tmp_path: Path) -> None:
    (tmp_path / "ada" / "notes").mkdir(parents=True)
    (tmp_path / "ada" / "notes" / "a.ipynb").write_bytes(notebook("# A"))
    port = free_port()
    program = [sys.executable, "-m", "tests.services.nbviewer.sources.github_server"]
    process = await asyncio.create_subprocess_exec(
        *program, "--port", str(port), "--directory", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    settings = json.loads(await process.stdout.readline())
    async with httpx2.AsyncClient(verify=False) as client, asyncio.timeout(10):
        answer = None
        while answer is None:
            try:
                answer = await client.get(f"{settings['github_raw_url']}/ada/notes/main/a.ipynb")
            except httpx2.ConnectError:
                await asyncio.sleep(0.05)
    process.terminate()
    await process.wait()
    assert answer.content == notebook("# A")
