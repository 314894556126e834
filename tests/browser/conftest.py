"""One browser and one service for all tests here: both take seconds to start, and neither remembers a test.

They live no longer than this package: while Playwright's driver runs, no other test could have an event loop.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium
from tests.browser.viewer import Viewer, running

pytest.register_assert_rewrite("tests.browser.visit")

from tests.browser.visit import Visit  # noqa: E402 - only now its assertions say what differs


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    place = tmp_path_factory.mktemp("viewer")
    (place / "notebooks").mkdir()
    with running(place / "notebooks") as made:
        yield made


@pytest.fixture
def visit(browser: Browser, viewer: Viewer) -> Iterator[Visit]:
    """Somebody at a desk."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    yield Visit(page, viewer)
    page.close()


@pytest.fixture
def phone(browser: Browser, viewer: Viewer) -> Iterator[Visit]:
    """Somebody with a phone, in the dark."""
    page = browser.new_page(viewport={"width": 390, "height": 800}, is_mobile=True, has_touch=True, color_scheme="dark")
    yield Visit(page, viewer)
    page.close()


@pytest.fixture
def plain(browser: Browser, viewer: Viewer) -> Iterator[Visit]:
    """Somebody who lets no scripts run."""
    page = browser.new_page(java_script_enabled=False)
    yield Visit(page, viewer)
    page.close()
