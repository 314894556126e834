"""Interactive outputs as notebooks hold them: plots, charts, widgets, pages."""

from __future__ import annotations

import json
from typing import Any

from tests.services.nbviewer.render.making import display

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
