"""Interactive outputs in a real Chromium: they are drawn from our own files, and cannot get out of their frames."""

from __future__ import annotations

import json

import pytest

from tests.browser import chromium
from tests.browser.figures import ALTAIR, MODELS, PLOTLY, STATE, VEGA, VIEW, bokeh, html, script
from tests.browser.visit import Visit
from tests.services.nbviewer.render.making import display

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    chromium.needed,
]


def test_a_plotly_figure_is_drawn(visit: Visit) -> None:
    frame = visit.open(PLOTLY)
    frame.wait_for_selector(".bars .point path")
    visit.until(lambda height: 440 <= height <= 470)
    assert visit.colours() > 100
    visit.assert_quiet()


def test_a_plotly_map_has_its_coasts_from_our_own_files(visit: Visit) -> None:
    countries = {"type": "choropleth", "locations": ["FRA", "BRA"], "z": [1, 2]}
    frame = visit.open(display({"application/vnd.plotly.v1+json": {"data": [countries], "layout": {"height": 400}}}))
    frame.wait_for_selector(".choroplethlocation")
    visit.assert_quiet()


def test_a_vega_lite_chart_is_drawn(visit: Visit) -> None:
    visit.open(VEGA).wait_for_selector(".marks")
    visit.until(lambda height: 250 <= height <= 400)
    visit.assert_quiet()


def test_an_altair_chart_takes_our_libraries_instead_of_a_networks(visit: Visit) -> None:
    visit.open(ALTAIR).wait_for_selector(".marks")
    visit.assert_quiet()


@pytest.mark.parametrize("version", ["2.4.3", "3.4.1"])
def test_a_bokeh_document_of_each_version_is_drawn(visit: Visit, version: str) -> None:
    visit.open(*bokeh(version)).get_by_text("drawn by bokeh").wait_for()
    visit.assert_quiet()


def test_a_slider_and_an_output_in_tabs_are_shown(visit: Visit) -> None:
    frame = visit.open(display({VIEW: {"model_id": "t"}, "text/plain": "Tab()"}), widgets={STATE: {"state": MODELS}})
    frame.get_by_text("printed inside").wait_for()
    frame.get_by_text("One", exact=True).click()
    frame.get_by_text("moons").wait_for()
    assert not frame.locator("#standin").is_visible()
    visit.until(lambda height: 60 <= height <= 300)
    visit.assert_quiet()


def test_a_widget_that_brings_its_own_module_is_shown(visit: Visit) -> None:
    frame = visit.open(display({VIEW: {"model_id": "any"}}), widgets={STATE: {"state": MODELS}})
    frame.get_by_text("of 41").wait_for()
    visit.assert_quiet()


def test_javascript_writes_into_its_element_in_both_ways(visit: Visit) -> None:
    frame = visit.open(script("element.append('<b>classic</b>'); element.appendChild(document.createElement('hr'));"))
    assert frame.locator("b").inner_text() == "classic"
    assert frame.locator("hr").count() == 1
    visit.assert_quiet()


def test_a_script_that_fails_says_so_in_its_frame(visit: Visit) -> None:
    visit.open(script("IPython.notebook.kernel.execute('x')")).get_by_text("IPython is not defined").wait_for()


def test_what_a_frame_may_not_do_fails(visit: Visit) -> None:
    attempts = {
        "parent": "parent.document.body",
        "top": "top.location.pathname",
        "cookie": "document.cookie",
        "storage": "localStorage.length",
        "session": "sessionStorage.length",
        "databases": "indexedDB.open('x')",
        "leave": "top.location.href = 'about:blank'",
        "workers": "navigator.serviceWorker.register('/lib/x.js')",
    }
    tries = ",".join(f"{name}: () => {body}" for name, body in attempts.items())
    frame = visit.open(
        html(
            "<p id=said></p><script>"
            f"const found = {{}}; for (const [name, run] of Object.entries({{{tries}}}))"
            "{ try { found[name] = String(run()); } catch (error) { found[name] = error.name; } }"
            "found.origin = self.origin; found.alert = String(window.open('about:blank'));"
            "document.getElementById('said').textContent = JSON.stringify(found);</script>"
        )
    )
    said = json.loads(frame.locator("#said").inner_text())
    assert said.pop("origin") == "null"
    assert said.pop("alert") == "null"
    assert said.pop("databases") in ("SecurityError", "[object IDBOpenDBRequest]")  # a request that is refused later
    assert set(said.values()) <= {"SecurityError", "TypeError"}, said
    assert visit.page.url.startswith(visit.viewer.page)


def test_a_document_opened_by_itself_has_no_origin_either(visit: Visit) -> None:
    visit.open(html("<p id=said></p><script>said.textContent = self.origin</script>"))
    visit.page.goto(visit.page.get_attribute("iframe.frame", "src") or "")
    assert visit.page.inner_text("#said") == "null"


def test_a_frame_follows_its_content(visit: Visit) -> None:
    frame = visit.open(html("<div id=box style='height:300px'>x</div><script>1</script>"))
    visit.until(lambda height: 295 <= height <= 310)
    frame.evaluate("document.getElementById('box').style.height = '700px'")
    visit.until(lambda height: 695 <= height <= 710)


def test_a_frame_cannot_be_taller_than_the_page_allows_or_grow_for_ever(visit: Visit) -> None:
    frame = visit.open(html("<p>x</p><script>1</script>"))
    frame.evaluate("parent.postMessage({height: 1e9}, '*')")
    visit.until(lambda height: height == 20000)
    frame.evaluate("for (const h of ['90', NaN, -5, null, {}]) parent.postMessage({height: h}, '*')")
    visit.until(lambda height: height == 20)
    frame.evaluate("for (let h = 100; h < 400; h++) parent.postMessage({height: h}, '*')")
    visit.until(lambda height: height < 250)


def test_only_its_own_frames_speak_to_the_page(visit: Visit) -> None:
    visit.open(html("<p>x</p><script>1</script>"))
    visit.until(lambda height: height < 100)
    before = visit.height()
    visit.page.evaluate("window.postMessage({height: 999}, '*')")
    visit.page.wait_for_timeout(200)
    assert visit.height() == before
