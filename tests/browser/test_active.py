"""Interactive outputs in a real Chromium: they are drawn from our own files, and cannot get out of their frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from tests.browser import chromium
from tests.browser.frames import Origins, origins
from tests.services.nbviewer.render.making import code, display, notebook

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    chromium.needed,
]

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
BASE = "@jupyter-widgets/base"
CONTROLS = "@jupyter-widgets/controls"


def script(text: str) -> dict[str, Any]:
    return display({"application/javascript": text})


def html(text: str) -> dict[str, Any]:
    return display({"text/html": text})


def model(name: str, view: str, *, module: str = CONTROLS, shown_by: str = "", **state: Any) -> dict[str, Any]:
    version = "1.0.0" if module.endswith("output") else "2.0.0"
    own = {"_model_module": module, "_model_module_version": version, "_model_name": name, "_view_name": view}
    view_state = {"_view_module": shown_by or module, "_view_module_version": version}
    return {
        "model_module": module,
        "model_module_version": version,
        "model_name": name,
        "state": {**own, **view_state, "layout": "IPY_MODEL_l", **state},
    }


MODELS = {
    "l": model("LayoutModel", "LayoutView", module=BASE),
    "s": model("SliderStyleModel", "StyleView", shown_by=BASE),
    "a": model("IntSliderModel", "IntSliderView", value=7, max=10, description="moons", style="IPY_MODEL_s"),
    "o": model(
        "OutputModel",
        "OutputView",
        module="@jupyter-widgets/output",
        outputs=[{"output_type": "stream", "name": "stdout", "text": "printed inside\n"}],
    ),
    "t": model("TabModel", "TabView", children=["IPY_MODEL_a", "IPY_MODEL_o"], titles=["One", "Two"], selected_index=1),
    "any": {
        "model_module": "anywidget",
        "model_module_version": "~0.9",
        "model_name": "AnyModel",
        "state": {
            "_model_module": "anywidget",
            "_model_module_version": "~0.9",
            "_model_name": "AnyModel",
            "_view_module": "anywidget",
            "_view_module_version": "~0.9",
            "_view_name": "AnyView",
            "_esm": "export default { render({ model, el }) { el.textContent = `of ${model.get('value')}`; } }",
            "value": 41,
            "layout": "IPY_MODEL_l",
        },
    },
}
PLOTLY = display({"application/vnd.plotly.v1+json": {"data": [{"type": "bar", "x": ["a", "b"], "y": [1, 3]}]}})
VEGA = display(
    {
        "application/vnd.vegalite.v5+json": {
            "data": {"values": [{"a": "A", "b": 28}, {"a": "B", "b": 55}]},
            "mark": "bar",
            "encoding": {"x": {"field": "a"}, "y": {"field": "b", "type": "quantitative"}},
        }
    }
)
ALTAIR = html("""<div id="vis"></div><script>
const paths = {"vega": "https://cdn.jsdelivr.net/npm/vega@5?noext", "vega-lib": "https://cdn.jsdelivr.net/npm/vega-lib?noext",
  "vega-lite": "https://cdn.jsdelivr.net/npm/vega-lite@4?noext", "vega-embed": "https://cdn.jsdelivr.net/npm/vega-embed@6?noext"};
requirejs.config({paths});
require(["vega-embed"], (embed) => embed("#vis", {"data": {"values": [{"a": 1}]}, "mark": "point",
  "encoding": {"x": {"field": "a"}}}, {"mode": "vega-lite"}));
</script>""")


def bokeh(version: str) -> list[dict[str, Any]]:
    """A text in a box, as the two outputs that Bokeh writes."""
    paragraph = {"text": "drawn by bokeh"}
    if version.startswith("3"):
        root: dict[str, Any] = {"type": "object", "name": "Paragraph", "id": "p1", "attributes": paragraph}
        document: dict[str, Any] = {"version": version, "title": "", "roots": [root]}
    else:
        root = {"type": "Paragraph", "id": "p1", "attributes": paragraph}
        document = {"version": version, "title": "", "roots": {"references": [root], "root_ids": ["p1"]}}
    docs = json.dumps({"d1": document})
    items = json.dumps([{"docid": "d1", "roots": {"p1": "place-1"}, "root_ids": ["p1"]}])
    embed = f"root.Bokeh.embed.embed_items_notebook(docs_json, {items})"
    call = f"(function(root) {{ const docs_json = {docs}; {embed}; }})(window)"
    place = '<div class="bk-root" id="place-1" data-root-id="p1"></div>'
    return [html(place), display({"application/javascript": call, "application/vnd.bokehjs_exec.v0+json": ""})]


@pytest.fixture(scope="module")
def hosts() -> Iterator[Origins]:
    with origins() as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS)
        yield started
        started.close()


class Shown:
    """A notebook's page with one frame, and everything about it that should not happen."""

    def __init__(self, page: Page, hosts: Origins) -> None:
        self.page = page
        self.hosts = hosts
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.hosts.page, self.hosts.content, "data:", "blob:")):
            self.strangers.append(url)

    def open(self, *outputs: dict[str, Any], **metadata: Any) -> Frame:
        """Show a cell's outputs; the document in the frame."""
        self.page.goto(self.hosts.show("shown", notebook(code("x", *outputs), **metadata)))
        element = self.page.wait_for_selector("iframe.frame")
        frame = element.content_frame() if element else None
        assert frame is not None
        frame.wait_for_load_state()
        return frame

    def height(self) -> int:
        return int(self.page.get_attribute("iframe.frame", "height") or 0)

    def until(self, fits: Callable[[int], bool]) -> None:
        for _ in range(100):
            if fits(self.height()):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the frame is {self.height()} pixels high")

    def colours(self) -> int:
        """How many there are in a picture of the frame."""
        picture = self.page.locator("iframe.frame").screenshot()
        return len(set(picture[100:]))

    def assert_quiet(self) -> None:
        assert self.complaints == []
        assert self.strangers == []


@pytest.fixture
def shown(browser: Browser, hosts: Origins) -> Iterator[Shown]:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.set_default_timeout(15_000)
    yield Shown(page, hosts)
    page.close()


def test_a_plotly_figure_is_drawn(shown: Shown) -> None:
    frame = shown.open(PLOTLY)
    frame.wait_for_selector(".bars .point path")
    shown.until(lambda height: 440 <= height <= 470)
    assert shown.colours() > 100
    shown.assert_quiet()


def test_a_plotly_map_has_its_coasts_from_our_own_files(shown: Shown) -> None:
    countries = {"type": "choropleth", "locations": ["FRA", "BRA"], "z": [1, 2]}
    frame = shown.open(display({"application/vnd.plotly.v1+json": {"data": [countries], "layout": {"height": 400}}}))
    frame.wait_for_selector(".choroplethlocation")
    shown.assert_quiet()


def test_a_vega_lite_chart_is_drawn(shown: Shown) -> None:
    shown.open(VEGA).wait_for_selector(".marks")
    shown.until(lambda height: 250 <= height <= 400)
    shown.assert_quiet()


def test_an_altair_chart_takes_our_libraries_instead_of_a_networks(shown: Shown) -> None:
    shown.open(ALTAIR).wait_for_selector(".marks")
    shown.assert_quiet()


@pytest.mark.parametrize("version", ["2.4.3", "3.4.1"])
def test_a_bokeh_document_of_each_version_is_drawn(shown: Shown, version: str) -> None:
    shown.open(*bokeh(version)).get_by_text("drawn by bokeh").wait_for()
    shown.assert_quiet()


def test_a_slider_and_an_output_in_tabs_are_shown(shown: Shown) -> None:
    frame = shown.open(display({VIEW: {"model_id": "t"}, "text/plain": "Tab()"}), widgets={STATE: {"state": MODELS}})
    frame.get_by_text("printed inside").wait_for()
    frame.get_by_text("One", exact=True).click()
    frame.get_by_text("moons").wait_for()
    assert not frame.locator("#standin").is_visible()
    shown.until(lambda height: 60 <= height <= 300)
    shown.assert_quiet()


def test_a_widget_that_brings_its_own_module_is_shown(shown: Shown) -> None:
    frame = shown.open(display({VIEW: {"model_id": "any"}}), widgets={STATE: {"state": MODELS}})
    frame.get_by_text("of 41").wait_for()
    shown.assert_quiet()


def test_javascript_writes_into_its_element_in_both_ways(shown: Shown) -> None:
    frame = shown.open(script("element.append('<b>classic</b>'); element.appendChild(document.createElement('hr'));"))
    assert frame.locator("b").inner_text() == "classic"
    assert frame.locator("hr").count() == 1
    shown.assert_quiet()


def test_a_script_that_fails_says_so_in_its_frame(shown: Shown) -> None:
    shown.open(script("IPython.notebook.kernel.execute('x')")).get_by_text("IPython is not defined").wait_for()


def test_what_a_frame_may_not_do_fails(shown: Shown) -> None:
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
    frame = shown.open(
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
    assert shown.page.url.startswith(shown.hosts.page)


def test_a_document_opened_by_itself_has_no_origin_either(shown: Shown, hosts: Origins) -> None:
    shown.open(html("<p id=said></p><script>said.textContent = self.origin</script>"))
    shown.page.goto(shown.page.get_attribute("iframe.frame", "src") or "")
    assert shown.page.inner_text("#said") == "null"


def test_a_frame_follows_its_content(shown: Shown) -> None:
    frame = shown.open(html("<div id=box style='height:300px'>x</div><script>1</script>"))
    shown.until(lambda height: 295 <= height <= 310)
    frame.evaluate("document.getElementById('box').style.height = '700px'")
    shown.until(lambda height: 695 <= height <= 710)


def test_a_frame_cannot_be_taller_than_the_page_allows_or_grow_for_ever(shown: Shown) -> None:
    frame = shown.open(html("<p>x</p><script>1</script>"))
    frame.evaluate("parent.postMessage({height: 1e9}, '*')")
    shown.until(lambda height: height == 20000)
    frame.evaluate("for (const h of ['90', NaN, -5, null, {}]) parent.postMessage({height: h}, '*')")
    shown.until(lambda height: height == 20)
    frame.evaluate("for (let h = 100; h < 400; h++) parent.postMessage({height: h}, '*')")
    shown.until(lambda height: height < 250)


def test_only_its_own_frames_speak_to_the_page(shown: Shown) -> None:
    shown.open(html("<p>x</p><script>1</script>"))
    shown.until(lambda height: height < 100)
    before = shown.height()
    shown.page.evaluate("window.postMessage({height: 999}, '*')")
    shown.page.wait_for_timeout(200)
    assert shown.height() == before
