"""One visit: a browser's page, and everything about it that should not happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Frame, Page, Request

from tests.browser.viewer import Viewer
from tests.services.nbviewer.render.making import code, notebook

FAULTS = """() => {
  const faults = [];
  const told = (element) => element.outerHTML.slice(0, 120);
  const name = (element) => [
    element.getAttribute("aria-label"), element.title, element.innerText,
    ...[...(element.labels ?? [])].map((label) => label.innerText),
    ...[...element.querySelectorAll("img")].map((image) => image.alt),
  ].join("").trim();
  for (const image of document.images) if (!image.hasAttribute("alt")) faults.push(`no alt: ${told(image)}`);
  const named = "a[href], button, summary, iframe, nav, select, textarea, input:not([type=hidden])";
  for (const one of document.querySelectorAll(named)) {
    if (one.checkVisibility() && !name(one)) faults.push(`no name: ${told(one)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`twice: #${id}`);
  for (const [selector, times] of [["main", 1], ["body > header", 1], ["body > footer", 1], ["title", 1]]) {
    const found = document.querySelectorAll(selector).length;
    if (found !== times) faults.push(`${found} of ${selector}`);
  }
  if (!document.querySelector("h1")) faults.push("no h1");
  const navs = [...document.querySelectorAll("nav")].filter((nav) => nav.checkVisibility()).map(name);
  if (new Set(navs).size !== navs.length) faults.push(`two of one name: ${navs}`);
  let before = 0;
  for (const heading of document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) faults.push(`h${level} after h${before}: ${told(heading)}`);
    before = level;
  }
  const first = document.querySelector("a[href], button, input, summary");
  if (!first?.matches(".skip")) faults.push(`the skip link is not first, but ${told(first)}`);
  if (!document.querySelector(first?.getAttribute("href"))) faults.push("the skip link leads nowhere");
  if (!document.documentElement.lang) faults.push("no language");
  return faults;
}"""


class Visit:
    """A page of the viewer's, opened by `to` or `open`."""

    def __init__(self, page: Page, viewer: Viewer) -> None:
        self.page = page
        self.viewer = viewer
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.strangers: list[str] = []
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" not in (self.viewer.page, self.viewer.content):
            self.strangers.append(request.url)

    def to(self, path: str) -> Page:
        """Go to a path of the viewer's."""
        self.page.goto(self.viewer.page + path)
        return self.page

    def show(self, *cells: Any, **metadata: Any) -> Page:
        """Go to a notebook of these cells."""
        return self.to(self.viewer.put(notebook(*cells, **metadata)))

    def open(self, *outputs: dict[str, Any], **metadata: Any) -> Frame:
        """Show one cell's outputs; the document in the frame."""
        self.show(code("x", *outputs), **metadata)
        return self.frame()

    def frame(self) -> Frame:
        """The document in the first frame."""
        element = self.page.wait_for_selector("iframe.frame")
        frame = element.content_frame() if element else None
        assert frame is not None
        frame.wait_for_load_state()
        return frame

    def height(self) -> int:
        """Pixels that the first frame has."""
        return int(self.page.get_attribute("iframe.frame", "height") or 0)

    def until(self, fits: Callable[[int], bool]) -> None:
        """Wait until the first frame's height is right."""
        for _ in range(100):
            if fits(self.height()):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the frame is {self.height()} pixels high")

    def colours(self) -> int:
        """How many there are in a picture of the first frame."""
        picture = self.page.locator("iframe.frame").screenshot()
        return len(set(picture[100:]))

    def assert_quiet(self) -> None:
        """Nothing complained, and nobody else was asked for anything."""
        assert self.complaints == []
        assert self.strangers == []

    def assert_fits(self) -> None:
        """The page itself does not scroll sideways."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 0

    def assert_accessible(self) -> None:
        """Names, landmarks, headings and ids are as those who do not see the page need them."""
        assert self.page.evaluate(FAULTS) == []
