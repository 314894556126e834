"""What visitors see of temporary notebook servers, in a real browser, through the edge of a whole fleet."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium
from tests.browser.try_visit import PATIENCE, WIDE, TryVisit, visiting
from tests.browser.visit import FAULTS
from tests.system.laptop import laptop

pytest.importorskip("jupyterlab", reason="sessions need amalthea[tmpnb]")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), chromium.needed]

ROOMY = """
[services.tmpnb]
on = ["north"]
lifetime = "9 min"
more = "10 min"
longest = "1 h"
save_every = "1 s"
"""
TIGHT = """
[services.tmpnb]
on = ["north"]
pool = 0
capacity = 1
"""
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}


def served(services: str) -> Iterator[str]:
    """The address of a fleet's front page."""
    with laptop(services=services) as fleet:
        fleet.run("apply")
        fleet.until({"try": 200}, seconds=60)
        yield f"http://try.localhost:{fleet.port}/"
        fleet.run("down")


@pytest.fixture(scope="module")
def roomy() -> Iterator[str]:
    yield from served(ROOMY)


@pytest.fixture(scope="module")
def tight() -> Iterator[str]:
    yield from served(TIGHT)


@pytest.fixture
def visitor(browser: Browser, roomy: str) -> Iterator[TryVisit]:
    with visiting(browser, roomy) as visit:
        yield visit
        if visit.session and visit.pill.is_visible():
            visit.end()


def seconds(pill: str) -> int:
    """What the strip counts."""
    found = re.fullmatch(r"(\d+):(\d\d) left", pill)
    assert found is not None, pill
    return 60 * int(found[1]) + int(found[2])


def test_a_click_leads_to_a_notebook_that_computes_and_whose_strip_has_time_and_work(
    visitor: TryVisit, roomy: str, tmp_path: Path
) -> None:
    visitor.start()
    visitor.new_notebook()
    visitor.run("print(6 * 7)")
    expect(visitor.output()).to_have_text("42", timeout=PATIENCE)
    visitor.save()
    before = seconds(visitor.pill.inner_text())
    visitor.page.wait_for_timeout(2100)
    assert before - 30 <= seconds(visitor.pill.inner_text()) < before
    visitor.pill.click()
    expect(visitor.page.locator("amalthea-strip .menu")).to_be_visible()
    visitor.choose("Give me more time")
    expect(visitor.pill).to_have_text(re.compile(r"1\d min left"), timeout=PATIENCE)
    with visitor.page.expect_download() as downloading:
        visitor.choose("Download my work")
    downloading.value.save_as(tmp_path / "work.zip")
    with zipfile.ZipFile(tmp_path / "work.zip") as work:
        (name,) = [name for name in work.namelist() if name.endswith("Untitled.ipynb")]
        assert "".join(json.loads(work.read(name))["cells"][0]["source"]) == "print(6 * 7)"
    assert visitor.hosts == {roomy.split("/")[2]}
    assert visitor.complaints == []


def test_the_same_browser_finds_its_server_again_and_another_does_not(
    visitor: TryVisit, browser: Browser, roomy: str
) -> None:
    session = visitor.start()
    visitor.front().get_by_role("link", name="Back to your notebook server").click()
    visitor.wait_for_lab()
    assert visitor.session == session
    with visiting(browser, roomy) as other:
        other.front()
        assert other.page.get_by_role("link", name="Back to your notebook server").count() == 0
        answer = other.page.goto(f"{roomy}user/{session}/api/contents")
        assert answer is not None
        assert answer.status == 403


def test_what_was_made_in_a_session_goes_on_in_the_next(visitor: TryVisit) -> None:
    first = visitor.start()
    visitor.new_notebook()
    visitor.run("print(6 * 7)")
    expect(visitor.output()).to_have_text("42", timeout=PATIENCE)
    visitor.save()
    visitor.end()
    expect(visitor.page.locator("main")).to_contain_text("You ended it.")
    assert visitor.page.evaluate(FAULTS) == []
    visitor.page.get_by_role("button", name="Go on with your files").click()
    visitor.wait_for_lab()
    assert visitor.session != first
    visitor.page.locator(".jp-DirListing-item", has_text="Untitled.ipynb").wait_for()


def test_whoever_finds_it_full_sees_his_place_and_goes_on_by_himself(browser: Browser, tight: str) -> None:
    with visiting(browser, tight) as one, visiting(browser, tight) as two, visiting(browser, tight, **PHONE) as three:
        one.start()
        two.click()
        expect(two.page.get_by_role("heading", level=1)).to_have_text("You are number 1 in the queue")
        three.click()
        expect(three.page.get_by_role("heading", level=1)).to_have_text("You are number 2 in the queue")
        assert three.page.evaluate(WIDE) <= 0
        assert two.page.evaluate(FAULTS) == []
        one.end()
        two.wait_for_lab()
        expect(three.page.get_by_role("heading", level=1)).to_have_text(
            "You are number 1 in the queue", timeout=PATIENCE
        )
        three.page.close()
        two.end()
        assert two.hosts == one.hosts == three.hosts == {tight.split("/")[2]}


def test_the_front_page_starts_a_session_without_scripts_too(browser: Browser, roomy: str) -> None:
    with visiting(browser, roomy, java_script_enabled=False) as plain:
        plain.click()
        plain.page.wait_for_url(re.compile(r"/user/[^/]+/lab"))
        assert "jupyter-config-data" in plain.page.content()
        plain.page.goto(f"{roomy}user/{plain.session}/api/status")
        assert "last_activity" in plain.page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_front_page_fits_a_phone_and_those_who_do_not_see_it(
    browser: Browser, roomy: str, scheme: str, tmp_path: Path
) -> None:
    with visiting(browser, roomy, **{**PHONE, "color_scheme": scheme}) as phone:
        phone.front().screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
        assert phone.page.evaluate(WIDE) <= 0
        assert phone.page.evaluate(FAULTS) == []
        red, green, blue = phone.page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
        )
        assert (red + green + blue > 384) == (scheme == "light")
        assert phone.complaints == []
