"""A running nbviewer, a GitHub to ask, and the clock in the test's hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from amalthea.model.fleet import Names, Site
from amalthea.model.service import Listen, Runtime
from amalthea.model.store import ObjectStore
from amalthea.model.wire import convert
from amalthea.services.nbviewer.opening import Opened, opened
from amalthea.services.nbviewer.settings import Settings
from amalthea.store.memory import MemoryStore
from amalthea.web.addresses import Resolve
from tests.services.nbviewer.sources.github_server import GitHub, Repository, running
from tests.serving import serving

NAMES = Names(domain="example.org")
MORNING = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@cache
def certificates() -> SSLContext:
    """Read once: it takes longer than most tests."""
    return httpx2.create_ssl_context()


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Nbviewer:
    """A running service: ask it through `client`."""

    def __init__(self, opened: Opened, client: httpx2.AsyncClient, registry: CollectorRegistry) -> None:
        self.client = client
        self.cache = opened.cache
        self.press = opened.press
        self.sweep = opened.sweep
        self.ready = opened.ready
        self._registry = registry

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.client.get(path, **options)

    async def leads_to(self, path: str) -> str:
        answer = await self.get(path)
        assert answer.status_code == 302, path
        return answer.headers["location"]

    def count(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(f"amalthea_nbviewer_{name}", labels) or 0


@asynccontextmanager
async def nbviewer(
    settings: Mapping[str, Any],
    *,
    store: ObjectStore,
    clock: Hand,
    site: str = "north",
    token: str = "",
    resolve: Resolve | None = None,
    names: Names = NAMES,
) -> AsyncIterator[Nbviewer]:
    """A real server on a free port, in front of the real application."""
    registry = CollectorRegistry()
    runtime = Runtime(listen=Listen(), store=store, clock=clock)
    place = Site(name=site, fleet="test", names=names)
    ready = convert(dict(settings), Settings)
    async with (
        opened(
            ready, place, runtime=runtime, registry=registry, token=token, resolve=resolve, tls=certificates()
        ) as made,
        serving(made.application) as port,
    ):
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, timeout=20, verify=False) as client:
            yield Nbviewer(made, client, registry)


def notebook(*sources: str, **metadata: Any) -> bytes:
    """A notebook of Markdown cells."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": source} for source in sources]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def resolver(**addresses: Sequence[str]) -> Resolve:
    """A name service that knows these names only; `_` in a name is a dot."""
    table = {name.replace("_", "."): found for name, found in addresses.items()}

    async def resolve(host: str, port: int) -> Sequence[str]:
        if host not in table:
            raise OSError(f"{host} has no address")
        return table[host]

    return resolve


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    made = GitHub()
    made.repositories["ada", "notes"] = Repository(
        branches={
            "main": {
                "hello.ipynb": notebook("# Hello from main"),
                "README.md": b"read me",
                "deep/a mřížka.ipynb": notebook("# Grid"),
                "deep/picture.png": b"\x89PNG",
                "10.ipynb": notebook("ten"),
                "9.ipynb": notebook("nine"),
                "broken.ipynb": b"this is not JSON",
            },
            "feature/a": {"hello.ipynb": notebook("# Hello from a feature")},
        },
        tags={"v1.0": {"hello.ipynb": notebook("# Hello from the tag")}},
    )
    async with running(made) as github:
        yield github


@pytest.fixture
async def viewer(github: GitHub, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    async with nbviewer(github.settings(), store=store, clock=clock) as made:
        yield made
