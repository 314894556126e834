"""Servers that answer in order to hurt: nothing they say takes long, takes much, or leads a visitor astray."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from amalthea.services.nbviewer.crowds import Allowance, Crowds
from amalthea.services.nbviewer.errors import Denied, Missing
from amalthea.services.nbviewer.fetching.addresses import Gate
from amalthea.services.nbviewer.fetching.cache import Cache, Timing
from amalthea.services.nbviewer.fetching.fetcher import Fetcher, Limits
from amalthea.services.nbviewer.fetching.index import Index
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.source import Asked, Entry, Moved, in_order, split
from amalthea.services.nbviewer.sources.gitea import Gitea
from amalthea.services.nbviewer.sources.repositories import Repositories
from amalthea.services.nbviewer.sources.servers import Server
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook, resolver
from tests.services.nbviewer.sources.forges.serving import Forge, running

Say = Callable[[Request], Response]


class Hostile(Forge):
    """Says what a test wants it to say, to everybody and for every path."""

    say: Say

    def answer(self, request: Request, parts: list[str]) -> Response:
        return self.say(request)


@pytest.fixture
async def forge() -> AsyncIterator[Hostile]:
    async with running(Hostile()) as made:
        yield made


@pytest.fixture
async def viewer(forge: Hostile, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    settings = {"gitea_urls": [forge.url], "gitlab_urls": [], "private_hosts": [forge.host]}
    async with nbviewer(settings, store=store, clock=clock) as made:
        yield made


def listing(value: Any, **headers: str) -> Say:
    body = httpx2.Response(200, json=value).content
    return lambda request: Response(body, media_type="application/json", headers=headers)


@pytest.mark.parametrize("location", ["http://a:b/", "http://\x7f/", "x" * 70_000, "http://[::1", "//", "\xff://", ""])
async def test_a_redirect_to_nonsense_is_refused_and_no_fault(viewer: Nbviewer, forge: Hostile, location: str) -> None:
    forge.say = lambda request: Response(status_code=302, headers={"location": location})
    answer = await viewer.get(f"/url/{forge.host}/a.ipynb")
    assert answer.status_code in (400, 502)


@pytest.mark.parametrize("piece", ["<", "<>;", '<>;rel="', ";rel=", "; ", ";\t", "rel=next,"])
async def test_a_link_header_is_read_in_time_that_grows_with_its_length(
    viewer: Nbviewer, forge: Hostile, piece: str
) -> None:
    forge.say = listing([], link=piece * (30_000 // len(piece)))
    began = time.process_time()
    assert (await viewer.get(f"/gitea/{forge.host}/ada/")).status_code == 200
    assert time.process_time() - began < 0.5


async def test_a_listing_without_end_is_cut(viewer: Nbviewer, forge: Hostile) -> None:
    forge.say = listing([{"name": str(number), "type": "file"} for number in range(20_000)])
    answer = await viewer.get(f"/gitea/{forge.host}/u/r/tree/main/")
    assert answer.status_code == 200
    assert 'class="file"' in answer.text
    assert answer.text.count('class="file"') <= 5000
    assert "The first 5000 entries" in answer.text
    assert answer.text.count("<li>") < 1200  # the menu of branches is cut, too


async def test_an_enormous_answer_of_an_api_is_not_read(viewer: Nbviewer, forge: Hostile) -> None:
    forge.say = lambda request: Response(b"[" + b"0," * 5_000_000 + b"0]")
    assert (await viewer.get(f"/gitea/{forge.host}/u/r/tree/main/")).status_code == 413


async def test_a_path_of_endless_parts_is_no_page(viewer: Nbviewer, forge: Hostile) -> None:
    forge.say = lambda request: Response(notebook("x"))
    answer = await viewer.get(f"/gitea/{forge.host}/u/r/blob/main/{'a/' * 20_000}x.ipynb")
    assert answer.status_code == 404
    assert len(answer.content) < 20_000
    assert forge.asked.total() == 0


@pytest.mark.parametrize("raw", ["/" + "a" * 10_000, "/a" * 101])
def test_nothing_stands_under_a_path_that_is_too_long(raw: str) -> None:
    with pytest.raises(Missing):
        split(raw)


def test_names_with_very_long_numbers_are_put_in_order() -> None:
    names = ["a" + "9" * 5000, "a" + "8" * 5000, "a10", "a9", "a007", "a"]
    entries = in_order([Entry(kind="file", name=name) for name in names])
    assert [entry.name for entry in entries] == ["a", "a007", "a9", "a10", "a" + "8" * 5000, "a" + "9" * 5000]


async def test_asking_whether_files_exist_counts_as_work(forge: Hostile, store: MemoryStore, clock: Hand) -> None:
    forge.say = lambda request: Response(b"x")
    settings = {"gitea_urls": [forge.url], "rate_limit": 4}
    async with nbviewer(settings, store=store, clock=clock) as viewer:
        crawler = {"x-forwarded-for": "203.0.113.5"}
        paths = [f"/gitea/{forge.host}/u/r/blob/main/{number}.zip" for number in range(20)]
        answers = [await viewer.get(path, headers=crawler) for path in paths]
    assert [answer.status_code for answer in answers] == [302] * 8 + [429] * 12
    assert forge.asked.total() == 8


async def test_a_server_that_only_the_path_names_is_no_way_to_anywhere(
    forge: Hostile, store: MemoryStore, clock: Hand
) -> None:
    forge.say = lambda request: Response(b"x")
    gate = Gate(allowed=[forge.host])
    limits = Limits(seconds=5, size=1_000_000, redirects=3)
    fetcher = Fetcher(
        gate, limits, tls=httpx2.create_ssl_context(), resolve=resolver(**{"127_0_0_1": ["127.0.0.1"]}), clock=clock
    )
    instruments = Instruments(CollectorRegistry())
    cache = Cache(
        Index(store, "north", clock=clock, instruments=instruments),
        memory=1000,
        timing=Timing(fresh=60, patience=1),
        clock=clock,
        crowds=Crowds(Allowance(pages=60, seconds=600), seconds=lambda: 0, instruments=instruments),
        instruments=instruments,
    )
    raw = "/gitea/evil.example/u/r/blob/main/sign-in"
    asked = Asked(parts=split(raw), raw=raw)
    from_us = Asked(parts=split(raw), raw=raw, referer="/gitea/evil.example/u/r/blob/main/a.ipynb")
    rest = ["blob", "main", "sign-in"]
    try:
        for named, question, leads in ((True, asked, True), (False, from_us, True), (False, asked, False)):
            repositories = Repositories(Gitea("evil.example", Server(forge.url, fetcher, named), cache), cache)
            if leads:
                assert isinstance(await repositories.inside(question, ("u", "r"), rest), Moved)
            else:
                with pytest.raises(Denied):
                    await repositories.inside(question, ("u", "r"), rest)
    finally:
        await fetcher.aclose()


async def test_the_token_of_github_goes_to_no_other_host(store: MemoryStore, clock: Hand) -> None:
    told: list[tuple[str, str]] = []

    def api(request: Request) -> Response:
        told.append(("api", request.headers.get("authorization", "")))
        return RedirectResponse(f"{other.url}/stolen", 307)

    def elsewhere(request: Request) -> Response:
        told.append(("other", request.headers.get("authorization", "")))
        return Response(b"[]")

    async with running(Hostile()) as forge, running(Hostile()) as other:
        forge.say, other.say = api, elsewhere
        settings = {"github_api_url": forge.url, "gitea_urls": [other.url]}
        async with nbviewer(settings, store=store, clock=clock, token="secret") as viewer:
            await viewer.get("/github/ada/")
            await viewer.get(f"/gitea/{other.host}/ada/")
            await viewer.get(f"/gitea/{forge.host}/ada/")
    assert told[0] == ("api", "Bearer secret")
    assert [secret for _, secret in told[1:]] == [""] * (len(told) - 1)
    assert ("other", "") in told


async def test_a_header_that_is_no_address_is_no_fault(viewer: Nbviewer) -> None:
    assert (await viewer.get("/sample", headers={"referer": "http://["})).status_code == 200
    headers = {"origin": "http://["}
    assert (await viewer.client.post("/upload", content=b"", headers=headers)).status_code == 403
