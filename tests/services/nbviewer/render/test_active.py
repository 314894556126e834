from __future__ import annotations

import gzip
import hashlib
import json
import re
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import Limits, Options, Rendered
from amalthea.services.nbviewer.render.active import frame_csp, libraries, library_url
from amalthea.services.nbviewer.render.active.document import as_json
from amalthea.services.nbviewer.render.active.liveliness import live
from tests.services.nbviewer.render.making import code, display, shown
from tests.services.nbviewer.render.passive import CONTENT

OPTIONS = Options(content=CONTENT, raw_base="https://raw.example.org/r/")
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
PNG = {"image/png": "aGk="}
FIGURE = {"data": [{"y": [1, 3], "name": "</script><b>\u2028"}], "layout": {"height": 300}}
PLOT = {"application/vnd.plotly.v1+json": FIGURE}


def framed(*outputs: Any, options: Options = OPTIONS, **metadata: Any) -> Rendered:
    return shown(code("x", *outputs), options=options, **metadata)


def document(*outputs: Any, **metadata: Any) -> str:
    """The only frame's document."""
    page = framed(*outputs, **metadata)
    (frame,) = page.frames
    return frame.body


def found(body: str, path: str) -> Element:
    element = html5lib.parse(body, treebuilder="etree", namespaceHTMLElements=False).find(path)
    assert element is not None
    return element


def model(name: str, *, module: str = "@jupyter-widgets/controls", **state: Any) -> dict[str, Any]:
    return {"model_name": name, "model_module": module, "model_module_version": "2.0.0", "state": state}


def test_a_figure_is_a_document_with_its_library_and_its_data() -> None:
    page = framed(display(PLOT))
    (frame,) = page.frames
    assert f'sandbox="allow-scripts" src="{CONTENT}/frame/{frame.digest}" height="300" loading="lazy"' in page.body
    assert 'title="Plotly figure, output of cell 1"' in page.body
    assert library_url("plotly") in frame.body
    assert json.loads(found(frame.body, ".//script[@id='data']").text or "") == FIGURE
    assert page.problems == ()


def test_the_picture_in_the_bundle_stands_in_for_the_frame() -> None:
    body = framed(display({**PLOT, **PNG})).body
    assert '<details class="standin"><summary>As a picture</summary><img src="data:image/png' in body


def test_what_is_no_figure_is_shown_as_before() -> None:
    page = framed(display({"application/vnd.plotly.v1+json": ["x"], **PNG}))
    assert page.frames == ()
    assert "data:image/png" in page.body


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner)))
@settings(max_examples=80, deadline=None)
def test_json_inside_a_document_cannot_end_its_element(value: Any) -> None:
    text = as_json(value)
    assert not set("<\u2028\u2029") & set(text)
    json.loads(text)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("application/vnd.vega.v5+json", "vega"),
        ("application/vnd.vegalite.v1+json", "vega-lite"),
        ("application/vnd.vegalite.v5.20.1+json", "vega-lite"),
        ("application/vnd.vegalite.v6.json", "vega-lite"),
    ],
)
def test_charts_of_every_version_of_vega_are_drawn(kind: str, mode: str) -> None:
    body = document(display({kind: {"mark": "bar"}}, {kind: {"embed_options": {"renderer": "svg"}}}))
    given = json.loads(found(body, ".//script[@id='data']").text or "")
    assert given["options"] == {"renderer": "svg", "mode": mode}
    assert given["base"] == OPTIONS.raw_base


def test_a_widget_takes_along_only_what_it_needs() -> None:
    models = {
        "a": model("VBoxModel", children=["IPY_MODEL_b", "IPY_MODEL_gone"], layout="IPY_MODEL_l"),
        "b": model("TabModel", deep={"in": [["IPY_MODEL_a"]]}),
        "l": model("LayoutModel"),
        "unrelated": model("IntSliderModel"),
        "tie": model("LinkModel", source=["IPY_MODEL_a", "x"], target=["IPY_MODEL_b", "x"]),
        "loose": model("LinkModel", source=["IPY_MODEL_a", "x"], target=["IPY_MODEL_unrelated", "x"]),
    }
    body = document(display({VIEW: {"model_id": "a"}, "text/plain": "VBox()"}), widgets={STATE: {"state": models}})
    state = json.loads(found(body, ".//script[@id='state']").text or "")
    assert set(state["state"]) == {"a", "b", "l", "tie"}
    assert found(body, ".//pre[@id='standin']").text == "VBox()"


def test_a_figure_widget_is_drawn_by_plotly_itself() -> None:
    models = {"f": model("FigureModel", module="plotlywidget", _data=[{"y": [1]}], _layout={"height": 500})}
    body = document(display({VIEW: {"model_id": "f"}}), widgets={STATE: {"state": models}})
    assert library_url("plotly") in body
    assert '"height":500' in body


@pytest.mark.parametrize("widgets", [None, [], {}, {"state": {}}, {STATE: []}, {STATE: {"state": {"a": "x"}}}])
def test_a_widget_without_its_state_is_its_text(widgets: Any) -> None:
    page = framed(display({VIEW: {"model_id": "a"}, "text/plain": "IntSlider(value=7)"}), widgets=widgets)
    assert page.frames == ()
    assert "IntSlider(value=7)" in page.body


def test_a_place_and_the_script_that_fills_it_are_one_document() -> None:
    script = '(function(root) { const docs_json = {"x":{"version":"3.4.1"}}; embed("p-1"); })(window)'
    body = document(
        display({"text/html": '<div id="p-1" data-root-id="p1001"></div>'}),
        display({"application/javascript": script, "application/vnd.bokehjs_exec.v0+json": ""}),
        display({"text/plain": "after"}),
    )
    assert 'id="p-1"' in body
    assert json.loads(found(body, ".//script[@class='nb-run']").text or "") == script


@pytest.mark.parametrize(("version", "library"), [("3.0.0", "bokeh-3"), ("2.1.1", "bokeh-2")])
def test_bokeh_is_loaded_in_the_version_that_wrote_the_plot(version: str, library: str) -> None:
    script = f'Bokeh; docs_json = {{"version": "{version}", "roots": ["Slider", "DataTable"]}}'
    body = document(display({"application/javascript": script}))
    for part in ("", "-widgets", "-tables"):
        assert library_url(library + part) in body
    assert "cdn.bokeh.org" not in body


def test_a_plot_of_an_old_bokeh_loads_its_library_where_it_is_kept() -> None:
    body = document(display({"application/javascript": 'Bokeh; docs_json = {"version":"1.0.4"}'}))
    assert "https://cdn.bokeh.org/bokeh/release/bokeh-1.0.4.min.js" in body


def test_what_an_output_loads_is_there_for_later_ones() -> None:
    loader = "require.config({paths: {d3: 'https://x/d3'}}); require(['d3'], d => window.d3 = d)"
    page = shown(
        code("x", display({"application/javascript": loader})),
        code("y", display({"text/html": "<div id=v></div><script>d3.select('#v')</script>"})),
        options=OPTIONS,
    )
    (frame,) = page.frames
    assert frame.body.index("https://x/d3") < frame.body.index("d3.select")
    assert library_url("require") in frame.body


@pytest.mark.parametrize(
    "html",
    [
        "<style>h1 {color: red}</style><script>MathJax.Hub.Config({})</script>",
        "<link href='https://fonts.example/x.css' rel=stylesheet><style>a{}</style><!-- x -->",
        "<script>window.PlotlyConfig = {};</script>",
    ],
)
def test_what_only_loads_or_styles_has_no_frame(html: str) -> None:
    assert framed(display({"text/html": html})).frames == ()


@pytest.mark.parametrize(
    "html",
    [
        "<b>x</b><script>1</script>",
        "<b onclick=x()>x</b>",
        "<b\nonclick=x()>x</b>",
        "<b/onclick=x()>x</b>",
        "<style>#a{color:red}</style><b id=a>x</b>",
        "<video src=x></video>",
        "<svg></svg>x",
        "<input type=checkbox>",
        "<new-element>x</new-element>",
        "<a href=javascript:x()>x</a>",
        "<object>x</object>",
        "<math><mi>x</mi></math>",
    ],
)
def test_what_cleaning_would_take_something_from_is_live(html: str) -> None:
    assert live(html)
    assert framed(display({"text/html": html})).frames


@pytest.mark.parametrize(
    "html",
    [
        "<div><table border=1 class=dataframe><tr><td>on = 3</table></div>",
        "<style scoped>\n  .dataframe tbody tr th { a: b; }\n  .dataframe thead th {\n c: d;}\n</style><table></table>",
        "<style>\n.list-inline {a: b}\n.list-inline>li {c: d}\n</style><ol class=list-inline><li>1</ol>",
        "<progress value=3 max=4></progress> 75%",
        "1 < 2 and <b>bold</b>",
    ],
)
def test_tables_and_text_need_no_frame(html: str) -> None:
    assert not live(html)


def test_a_page_that_the_notebook_brings_along_is_the_document() -> None:
    html = '<div style="width:100%"><iframe srcdoc="&lt;p id=m&gt;map&lt;/p&gt;" height="512px"></iframe></div>'
    page = framed(display({"text/html": html}))
    (frame,) = page.frames
    assert "<p id=m>map</p>" in frame.body
    assert 'height="512"' in page.body


@pytest.mark.parametrize(
    ("address", "target", "host"),
    [
        ("https://www.youtube.com/embed/vWkb7VahaXQ", "https://www.youtube.com/watch?v=vWkb7VahaXQ", "www.youtube.com"),
        ("//player.vimeo.com/video/12345", "https://vimeo.com/12345", "vimeo.com"),
        ("https://plot.ly/~empet/1.embed", "https://plot.ly/~empet/1.embed", "plot.ly"),
    ],
)
def test_a_page_on_the_web_is_a_link(address: str, target: str, host: str) -> None:
    page = framed(display({"text/html": f'<iframe width="400" src="{address}" allowfullscreen></iframe>', **PNG}))
    assert page.frames == ()
    assert f'<a href="{target}" rel="noopener nofollow">' in page.body
    assert f"opens at {host}" in page.body
    assert "data:image/png" in page.body


def test_equal_documents_are_one_frame() -> None:
    page = framed(display(PLOT), display(PLOT))
    assert len(page.frames) == 1
    assert page.body.count("<iframe") == 2


@pytest.mark.parametrize("limits", [Limits(frame=300), Limits(frames=0), Limits(framed=300)])
def test_too_much_of_it_is_said(limits: Limits) -> None:
    page = framed(display(PLOT), options=Options(content=CONTENT, limits=limits))
    assert page.frames == ()
    assert len(page.problems) == 1


def test_without_a_content_origin_nothing_is_framed() -> None:
    page = framed(display(PLOT), display({"text/html": "<script>1</script>x"}), options=Options())
    assert page.frames == ()
    assert "<iframe" not in page.body


def test_every_library_is_the_one_in_the_manifest() -> None:
    for library in libraries().values():
        assert library.body()
        assert re.fullmatch(r"[\w.-]+\.(js|json|woff2)", library.served)
        body = gzip.decompress(library.body()) if library.encoding else library.body()
        assert hashlib.sha256(body).hexdigest() == library.sha256


def test_the_policy_takes_the_origin_away_and_names_every_source() -> None:
    ancestors = ["https://nbviewer.example.org", "http://[::1]:8000"]
    policy = frame_csp("https://content.example.org", ["https:"], ancestors=ancestors)
    parts = dict(part.split(" ", 1) for part in policy.split("; ") if " " in part)
    assert parts["sandbox"] == "allow-scripts"
    assert parts["default-src"] == "'none'"
    assert parts["frame-ancestors"] == "https://nbviewer.example.org"
    assert "https://content.example.org/lib/" in parts["script-src"]
    assert "'self'" not in policy
    assert "https:" not in frame_csp("http://content.localhost", []).replace("https://", "")
