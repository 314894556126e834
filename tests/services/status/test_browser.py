"""The page in a real browser, with scripts off: narrow and wide, light and dark, and left open for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright
from prometheus_client import CollectorRegistry

from amalthea.model.service import Listen
from amalthea.probes.http import ready
from amalthea.services.status.face import Face
from amalthea.web.admin import admin_application
from amalthea.web.server import serve
from tests.browser import chromium
from tests.machine import free_port
from tests.services.status.scenes import NOON, report
from tests.services.status.test_face import WATCHES, view

pytestmark = [pytest.mark.browser, chromium.needed]


async def _fine() -> str:
    return ""


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The URL of a page that shows a mixed picture."""
    own = report("south", WATCHES, lambda w: w.service != "nbviewer" and (w.service, w.site) != ("cdn", "north"))
    other = report("north", WATCHES, lambda w: w.service != "nbviewer", ago=3)
    registry = CollectorRegistry()
    face = Face(
        lambda: view(own, other, "A note."), title="Jupyter status", site="south", clock=lambda: NOON, registry=registry
    )
    listen = Listen(http=free_port(), admin=free_port())
    task = asyncio.create_task(serve(face.application(), admin_application(_fine, registry), listen))
    while await ready(address="127.0.0.1", port=listen.admin):
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listen.http}/?still"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS)
        yield browser
        await browser.close()


async def opened(browser: Browser, address: str, *, width: int, scheme: str = "light") -> tuple[Page, list[str]]:
    """The page, and what it asked for and complained of."""
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page, heard = await context.new_page(), list[str]()
    page.on("request", lambda request: heard.append(request.url))
    page.on("console", lambda message: heard.append(message.text))
    await page.goto(address, wait_until="networkidle")
    return page, heard


@pytest.mark.parametrize("width", [320, 390, 1200])
async def test_the_page_fits_and_needs_one_request(browser: Browser, address: str, width: int) -> None:
    page, heard = await opened(browser, address, width=width)
    assert [one for one in heard if not one.startswith("data:")] == [address]
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.get_by_role("status").inner_text() != ""
    assert await page.get_by_role("heading", level=2).count() == 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_stands_out_from_its_ground(browser: Browser, address: str, scheme: str) -> None:
    page, _ = await opened(browser, address, width=1200, scheme=scheme)
    assert await page.evaluate(LOW_CONTRAST) == []


async def test_a_page_left_open_says_that_it_is_old_and_loses_its_colours(browser: Browser, address: str) -> None:
    page, _ = await opened(browser, address, width=1200)
    notice = page.get_by_text("says nothing about now")
    assert not await notice.is_visible()
    await page.evaluate("document.getAnimations().forEach(animation => { animation.currentTime = 91000 })")
    assert await notice.is_visible()
    assert await page.locator(".ages").evaluate("box => getComputedStyle(box).filter") == "grayscale(1)"


LOW_CONTRAST = """
() => {
  const numbers = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const element of document.querySelectorAll("main *")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + .05) / (pair[1] + .05);
    if (ratio < 4.5) low.push(`${element.className} ${element.textContent.trim()} ${ratio.toFixed(2)}`);
  }
  return low;
}
"""
