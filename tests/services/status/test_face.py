from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from html.parser import HTMLParser

import httpx2
import msgspec
from prometheus_client import CollectorRegistry

from amalthea.model.clock import Clock
from amalthea.services.status.board import board
from amalthea.services.status.face import MARK, Face, View
from amalthea.services.status.track import Report, Track
from tests.services.status.scenes import FRESH_FOR, NOON, report, track, watch

SERVICES = ("nbviewer", "tmpnb", "cdn", "status", "mail")
WATCHES = [watch(service, site) for service in SERVICES for site in ("north", "south")]
ALL_UP = report("south", WATCHES, lambda w: True)


def view(own: Report = ALL_UP, other: Report | None = None, *notes: str) -> View:
    return View(board=board(WATCHES, own, {"north": other}, now=NOON, fresh_for=FRESH_FOR), notes=notes)


@asynccontextmanager
async def visiting(
    look: Callable[[], View], title: str = "Jupyter status", *, clock: Clock = lambda: NOON
) -> AsyncIterator[httpx2.AsyncClient]:
    app = Face(look, title=title, site="south", clock=clock, registry=CollectorRegistry()).application()
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://status.localhost"
    ) as client:
        yield client


async def page(shown: View, title: str = "Jupyter status") -> str:
    async with visiting(lambda: shown, title) as visitor:
        return (await visitor.get("/")).text


class Outline(HTMLParser):
    """The tags of a page with their attributes, and its words without the markup."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self._hidden = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "title") or (self._hidden and tag not in ("body",))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._words.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self._words))

    def having(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


async def test_the_page_says_that_all_services_work_when_they_do() -> None:
    seen = Outline(await page(view()))
    assert "All services work" in seen.words
    assert "data is at most 2 s old" in seen.words
    assert "seen from south 2 s ago: up, 12 ms" in seen.words
    assert "north has not reported yet" in seen.words


async def test_the_page_marks_what_is_down_and_since_when() -> None:
    own = report("south", WATCHES, lambda w: (w.service, w.site) != ("cdn", "north"))
    seen = Outline(await page(view(own)))
    assert "cdn works at 1 of 2 sites" in seen.words
    assert "Down since 11:59 UTC, for 22 s." in seen.words
    assert "seen from south 2 s ago: down, answered 503 instead of 200" in seen.words
    assert len(seen.having("li", **{"class": "site down"})) == 1


async def test_old_data_is_unknown_and_its_age_is_told() -> None:
    seen = Outline(await page(view(report("south", WATCHES, lambda w: True, ago=300))))
    assert "Nothing is known at the moment" in seen.words
    assert "data is at most 5 min old" in seen.words
    assert "south last looked 5 min ago" in seen.words
    assert not seen.having("li", **{"class": "site up"})


async def test_the_first_page_is_not_green() -> None:
    seen = Outline(await page(view(Report(vantage="south", at=NOON, tracks=tuple(map(Track.of, WATCHES))))))
    assert "Looking for the first time" in seen.words
    assert len(seen.having("li", **{"class": "site checking"})) == len(WATCHES)


async def test_witnesses_that_disagree_are_shown() -> None:
    other = report("north", WATCHES, lambda w: w.service != "mail", ago=3)
    seen = Outline(await page(view(ALL_UP, other)))
    assert "The witnesses do not agree." in seen.words
    assert "seen from north 3 s ago: down" in seen.words


async def test_one_failure_is_told_before_it_is_believed() -> None:
    tracks = (track(WATCHES[0], True, False), *ALL_UP.tracks[1:])
    seen = Outline(await page(view(Report(vantage="south", at=NOON, tracks=tracks))))
    assert "All services work" in seen.words
    assert "up, answered 503 instead of 200; asking again" in seen.words


async def test_the_page_is_one_request_and_small() -> None:
    own = report("south", WATCHES, lambda w: False)
    async with visiting(lambda: view(own, report("north", WATCHES, lambda w: False))) as visitor:
        answer = await visitor.get("/", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content)) < 30_000
    seen = Outline(answer.text)
    assert not seen.having("script")
    assert not seen.having("link", rel="stylesheet")
    addresses = [found.get(name) or "" for _, found in seen.tags for name in ("src", "href", "data", "action")]
    assert all(address.startswith(("data:", "#", "/")) for address in addresses if address)


async def test_the_policy_allows_the_style_inside_and_nothing_else() -> None:
    async with visiting(view) as visitor:
        answer = await visitor.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert re.search(r"style-src 'self' 'sha256-[A-Za-z0-9+/]{43}='", policy)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-amalthea-site"] == "south"


async def test_hostile_text_is_shown_as_text() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    watches = [watch(evil, evil)]
    told = track(watches[0], False, False)
    assert told.last is not None
    told = msgspec.structs.replace(told, last=msgspec.structs.replace(told.last, detail=evil))
    own = Report(vantage=evil, at=NOON, tracks=(told,))
    shown = View(board=board(watches, own, {evil + "2": None}, now=NOON, fresh_for=FRESH_FOR), notes=(evil,))
    text = await page(shown, evil)
    seen = Outline(text)
    assert not seen.having("script")
    assert not seen.having("img")
    assert seen.words.count(evil) >= 5


async def test_times_are_marked_up_and_the_banner_is_announced() -> None:
    seen = Outline(await page(view()))
    assert seen.having("time", datetime="2026-05-17T11:59:58Z")
    assert len(seen.having("div", role="status")) == 1
    assert [name for name, _ in seen.tags if name in ("h1", "h2")] == ["h1", *["h2"] * len(SERVICES)]
    assert seen.having("html", lang="en")


async def test_a_reader_can_stop_the_page_from_reloading() -> None:
    async with visiting(view) as visitor:
        moving, still = Outline((await visitor.get("/")).text), Outline((await visitor.get("/?still")).text)
    assert moving.having("meta", **{"http-equiv": "refresh"})
    assert not still.having("meta", **{"http-equiv": "refresh"})
    assert MARK in (await page(view()))


async def test_the_page_is_made_anew_as_time_goes_on_and_not_for_each_reader() -> None:
    moment, made = NOON, 0

    def look() -> View:
        nonlocal made
        made += 1
        return View(board=board(WATCHES, ALL_UP, {}, now=moment, fresh_for=FRESH_FOR))

    async with visiting(look, clock=lambda: moment) as visitor:
        for _ in range(5):
            assert "2 s ago" in (await visitor.get("/")).text
        assert made == 1
        moment = NOON + timedelta(seconds=1)
        assert "3 s ago" in (await visitor.get("/")).text


async def test_the_json_carries_the_true_states_and_ages_for_every_origin() -> None:
    own = report("south", WATCHES, lambda w: w.service != "cdn")
    async with visiting(lambda: view(own, report("north", WATCHES, lambda w: True, ago=40))) as visitor:
        answer = await visitor.get("/api/board.json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.text)
    assert (told["standing"], told["text"], told["from"]) == ("down", "cdn is down at both sites", "south")
    cell = told["services"][2]["sites"][0]
    assert (cell["site"], cell["state"], cell["age"], cell["disputed"]) == ("north", "down", 2.0, False)
    assert [(seen["from"], seen["state"], seen["age"]) for seen in cell["seen"]] == [
        ("south", "down", 2.0),
        ("north", "unknown", 40.0),
    ]
    assert cell["seen"][0]["detail"] == "answered 503 instead of 200"


async def test_heads_robots_and_unknown_pages_are_answered() -> None:
    async with visiting(view) as visitor:
        head = await visitor.head("/")
        assert (head.status_code, head.content) == (200, b"")
        assert (await visitor.head("/api/board.json")).status_code == 200
        assert (await visitor.get("/robots.txt")).text.startswith("User-agent: *")
        missing = await visitor.get("/nothing")
        assert missing.status_code == 404
        assert (await visitor.post("/")).status_code == 405
        sheet = re.search(r'href="(/static/amalthea\.[0-9a-f]+\.css)"', missing.text)
        assert sheet is not None
        assert (await visitor.get(sheet[1])).status_code == 200


async def test_notes_about_the_page_itself_are_shown() -> None:
    assert "The store sleeps." in await page(view(ALL_UP, None, "The store sleeps."))
