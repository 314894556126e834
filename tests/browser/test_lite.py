"""Notebooks that run in the browser, from our own files alone: every other host is cut off and would be noticed.

The site is built once and kept in pytest's cache.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.routing import Mount

from amalthea.services.tmpnb.lite import START, Site, ensure_site, lite_app
from amalthea.services.tmpnb.lite.parts import missing_packages
from tests.browser import chromium
from tests.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("lite"),
    chromium.needed,
    pytest.mark.skipif(
        bool(missing_packages()), reason=f"not installed: {', '.join(missing_packages())} (the extra amalthea[lite])"
    ),
]

PATIENCE = 180_000
NOBODY = "not an origin"
CUT_OFF = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="module")
def lite(request: pytest.FixtureRequest) -> Site:
    assert request.config.cache is not None
    return ensure_site(Path(request.config.cache.mkdir("lite")), say=print)


@pytest.fixture(scope="module")
def address(lite: Site) -> Iterator[str]:
    """Where the site is served, below a path and by another name than the one a browser treats as its own."""
    ready, end = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    ports: list[int] = []

    async def run() -> None:
        async with serving(Starlette(routes=[Mount("/lite", lite_app(lite))])) as port:
            ports.append(port)
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(30)
    yield f"http://try.localhost:{ports[0]}/lite/"
    loop.call_soon_threadsafe(end.set)
    thread.join(30)
    loop.close()


class Lite:
    """A visitor of the site, in a browser that reaches nobody else and writes down whom it asks."""

    def __init__(self, page: Page, log: Path) -> None:
        self.page = page
        self.log = log
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def run(self, number: int) -> None:
        """Run one of the notebook's cells."""
        self.page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def wait_for_output(self, number: int, text: str) -> None:
        """Until a cell shows exactly this, and its number."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)
        cell.locator(".jp-OutputArea-output", has_text=text).wait_for()
        assert cell.locator(".jp-OutputArea-output").inner_text().strip() == text
        cell.locator(".jp-InputPrompt", has_text=f"[{number + 1}]:").wait_for()

    def asked(self) -> set[str]:
        """The hosts that the page, its workers and its service worker asked; ends the browser.

        What a browser asks its maker on its own account has no initiator.
        """
        browser = self.page.context.browser
        assert browser is not None
        browser.close()
        started = [event.get("params", {}) for event in json.loads(self.log.read_bytes())["events"]]
        urls = [one["url"] for one in started if "url" in one and one.get("initiator", NOBODY) != NOBODY]
        return {urlsplit(url).hostname or "" for url in urls if url.startswith(("http", "ws"))}


@pytest.fixture
def visitor(browser: Browser, tmp_path: Path) -> Iterator[Lite]:
    log = tmp_path / "net.json"
    arguments = [*chromium.ARGUMENTS, CUT_OFF, f"--log-net-log={log}"]
    started = browser.browser_type.launch(executable_path=chromium.PROGRAM, args=arguments)
    yield Lite(started.new_page(viewport={"width": 1200, "height": 900}), log)
    started.close()


def test_the_first_notebook_runs_and_nobody_else_is_asked_for_anything(visitor: Lite, address: str, lite: Site) -> None:
    visitor.page.goto(address)
    visitor.run(0)
    visitor.wait_for_output(0, "2")
    assert visitor.page.url.startswith(f"{address}{START.partition('?')[0]}")
    kernel = visitor.page.locator(".jp-Toolbar-kernelName").inner_text()
    assert kernel.lower().startswith(lite.kernels[0])
    assert not [text for text in visitor.complaints if "favicon" not in text and "404" not in text]
    assert visitor.asked() == {"try.localhost"}


def test_javascript_runs_while_python_would_still_be_starting(visitor: Lite, address: str, lite: Site) -> None:
    name = "javascript.ipynb" if "python" in lite.kernels else "welcome.ipynb"
    visitor.page.goto(f"{address}notebooks/index.html?path={name}")
    visitor.run(0)
    visitor.wait_for_output(0, "2")
    assert visitor.asked() == {"try.localhost"}


def test_python_asks_for_input_keeps_files_and_says_that_it_can_install_nothing(
    visitor: Lite, address: str, lite: Site
) -> None:
    if "python" not in lite.kernels:
        pytest.skip(f"this site has no Python: {lite.manifest.without}")
    visitor.page.goto(f"{address}repl/index.html?kernel=python&toolbar=1")
    prompt = visitor.page.locator(".jp-CodeConsole-promptCell .cm-content")
    prompt.wait_for()
    visitor.page.locator(".jp-CodeConsole-banner, .jp-RawCell").first.wait_for()
    prompt.click()
    visitor.page.keyboard.insert_text(
        "open('made.txt', 'w').write(input('who? ')); print(open('made.txt').read()[::-1])"
    )
    visitor.page.keyboard.press("Shift+Enter")
    visitor.page.locator("input.jp-Stdin-input").fill("Amalthea")
    visitor.page.locator("input.jp-Stdin-input").press("Enter")
    visitor.page.locator(".jp-OutputArea-output", has_text="aehtlamA").wait_for()
    prompt.click()
    visitor.page.keyboard.insert_text("%pip install snowballstemmer")
    visitor.page.keyboard.press("Shift+Enter")
    visitor.page.locator(".jp-OutputArea-output", has_text="could not be installed").wait_for()
    assert visitor.asked() == {"try.localhost"}


def test_what_a_notebook_runs_can_ask_nobody_else_and_who_does_would_be_noticed(visitor: Lite, address: str) -> None:
    asking = "(url) => fetch(url).then(() => 'answered', () => 'failed')"
    visitor.page.goto(f"{address}notebooks/index.html?path=welcome.ipynb")
    visitor.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    assert visitor.page.evaluate(asking, f"{address}jupyter-lite.json") == "answered"
    assert visitor.page.evaluate(asking, "http://stranger.example/") == "failed"
    assert any("Content Security Policy" in text for text in visitor.complaints)
    visitor.page.goto("about:blank")
    assert visitor.page.evaluate(asking, "http://noticed.example/") == "failed"
    assert visitor.asked() == {"try.localhost", "noticed.example"}
