"""A visit to temporary notebook servers: a browser of its own, JupyterLab in it, and whom it asks for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, expect

PATIENCE = 30_000
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class TryVisit:
    """One browser's page; `hosts` is everybody whom it has asked."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.context.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(url).netloc)

    @property
    def session(self) -> str:
        """The name of the session whose page this is, or ""."""
        found = re.match(r"/user/([^/]+)/", urlsplit(self.page.url).path)
        return found[1] if found else ""

    @property
    def pill(self) -> Locator:
        """What the strip says."""
        return self.page.locator("amalthea-strip .pill")

    def front(self) -> Page:
        """Go to the front page."""
        self.page.goto(self.address)
        return self.page

    def click(self) -> None:
        """Start JupyterLab from the front page, whatever comes of it."""
        self.front().get_by_role("button", name="JupyterLab").click()

    def start(self) -> str:
        """Start JupyterLab from the front page, and wait for it; the session's name."""
        self.click()
        self.wait_for_lab()
        return self.session

    def wait_for_lab(self) -> None:
        """Until JupyterLab is there."""
        self.page.wait_for_url(re.compile(r"/user/[^/]+/lab"))
        self.page.locator("#jp-main-dock-panel").wait_for()
        self.pill.wait_for()

    def new_notebook(self) -> None:
        """A new one, whose kernel waits for something to do.

        The indicator shows `idle` before there is a kernel, too, and what is run then is forgotten.
        """
        self.page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    def run(self, code: str) -> None:
        """Type into the first cell and run it."""
        self.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")

    def output(self) -> Locator:
        """What the first cell has said."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").first.locator(".jp-OutputArea-output")

    def save(self) -> None:
        """As everybody does, and keep the name that JupyterLab asks about the first time."""
        with self.page.expect_response(lambda told: told.request.method == "PUT" and "/api/contents/" in told.url):
            self.page.keyboard.press("Control+s")
            self.page.locator("dialog.jp-Dialog .jp-mod-accept").click()

    def choose(self, name: str) -> None:
        """Something of the strip's menu."""
        if not self.page.locator("amalthea-strip .menu").is_visible():
            self.pill.click()
        self.page.locator("amalthea-strip").get_by_role("menuitem", name=name).click()

    def end(self) -> None:
        """End the session by the menu, and say yes."""
        self.page.once("dialog", lambda dialog: dialog.accept())
        self.choose("End it now")
        expect(self.page.get_by_role("heading", name="This session has ended")).to_be_visible(timeout=PATIENCE)


@contextmanager
def visiting(browser: Browser, address: str, **options: Any) -> Iterator[TryVisit]:
    """Somebody with a browser of his own."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
    try:
        yield TryVisit(context.new_page(), address)
    finally:
        context.close()
