"""What people see of a whole fleet, through its edge: pages keep to their own hosts and fit a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import chromium
from tests.system.laptop import Laptop, laptop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    chromium.needed,
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Laptop]:
    with laptop() as made:
        made.run("apply")
        made.until({"nbviewer": 200, "status": 200})
        yield made


class Watched:
    """A page, and everything about it that should not happen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))


@pytest.fixture(params=[(1280, 900, "light"), (390, 800, "dark")], ids=["wide-light", "phone-dark"])
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    width, height, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(15_000)
    yield Watched(page)
    page.close()


@pytest.mark.parametrize(("service", "path"), [("nbviewer", "/"), ("nbviewer", "/sample"), ("status", "/")])
def test_a_page_keeps_to_its_host_complains_of_nothing_and_fits_the_screen(
    fleet: Laptop, watched: Watched, service: str, path: str
) -> None:
    answer = watched.page.goto(f"http://{service}.localhost:{fleet.port}{path}")
    assert answer is not None
    if answer.ok:
        assert watched.complaints == []
    assert watched.hosts == {f"{service}.localhost:{fleet.port}"}
    overflow = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    assert watched.page.locator("h1").count() >= 1
    assert watched.page.locator("main").count() == 1


def test_the_list_of_services_leads_to_each(fleet: Laptop, watched: Watched) -> None:
    watched.page.goto(f"http://localhost:{fleet.port}/")
    watched.page.get_by_role("link", name="status").click()
    assert watched.page.url == f"http://status.localhost:{fleet.port}/"
    assert "nbviewer" in watched.page.inner_text("main")
