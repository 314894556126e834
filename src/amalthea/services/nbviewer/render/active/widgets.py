"""Widgets from the state that was saved with the notebook: the view's model and all that it needs, and no other.

Models refer to one another by strings `IPY_MODEL_<id>` anywhere in their state. A figure of Plotly's is drawn by
Plotly itself, without the widget around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amalthea.services.nbviewer.render.active import plotly
from amalthea.services.nbviewer.render.active.document import Document, data, output
from amalthea.services.nbviewer.render.formats import joined, mapping

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
_REFERENCE = "IPY_MODEL_"
_USUAL = 60
_TIES = ("LinkModel", "DirectionalLinkModel")
_MODELS = 5_000


def widget(value: Any, *, states: Mapping[str, Any], standin: str) -> Document | None:
    """The document of a view; None where its state was not saved, or by a version that nothing reads any more."""
    name = mapping(value).get("model_id")
    if not isinstance(name, str) or not _readable(states.get(name)):
        return None
    model = states[name]
    if model["model_name"] == "FigureModel" and model["model_module"] in ("plotlywidget", "jupyterlab-plotly"):
        return plotly.from_widget(mapping(model["state"]))
    needed = {key: states[key] for key in _closure(name, states)}
    needed |= dict(_links(needed, states))
    state = {"version_major": 2, "version_minor": 0, "state": needed}
    view = {"version_major": 2, "version_minor": 0, "model_id": name}
    return Document(
        title="Widget",
        body=f'<div id="output">\n{data(state, name="state", kind=STATE)}{data(view, name="view", kind=VIEW)}</div>\n'
        + output(standin).partition("\n")[2],
        libraries=("require", "jquery", "show-widgets", "widgets"),
        height=_USUAL,
    )


def _closure(first: str, states: Mapping[str, Any]) -> Iterator[str]:
    """The model and those that it refers to, each once."""
    seen = {first}
    open_ = [first]
    while open_ and len(seen) < _MODELS:
        name = open_.pop()
        yield name
        for found in _references(states[name].get("state")):
            if found not in seen and _readable(states.get(found)):
                seen.add(found)
                open_.append(found)


def _links(needed: Mapping[str, Any], states: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What ties some of the models together (`jslink`): nothing refers to it, it refers to them."""
    for name, found in states.items():
        if _readable(found) and found["model_name"] in _TIES:
            tied = set(_references([found["state"].get("source"), found["state"].get("target")]))
            if tied and tied <= needed.keys():
                yield name, found


def _references(value: Any) -> Iterator[str]:
    """The ids in a state, however deep they stand."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if part.startswith(_REFERENCE):
                yield part.removeprefix(_REFERENCE)
        elif isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _readable(model: Any) -> bool:
    """Whether it has what every model has since version 7 of ipywidgets."""
    return (
        isinstance(model, dict)
        and all(isinstance(model.get(key), str) for key in ("model_name", "model_module", "model_module_version"))
        and isinstance(model.get("state"), dict)
    )


def standin(value: Any) -> str:
    """What stands in for a widget that does not load."""
    return joined(value)[:2000]
