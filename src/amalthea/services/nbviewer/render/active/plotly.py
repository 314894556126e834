"""Plotly figures from their JSON, also where it is kept as the state of a widget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amalthea.services.nbviewer.render.active.document import Document, data, output
from amalthea.services.nbviewer.render.formats import mapping

KINDS = ("application/vnd.plotly.v1+json", "application/vnd.plotly.v2+json")
_USUAL = 450
_LARGEST = 4000


def plotly(value: Any) -> Document | None:
    """The figure's document; None where the value is no figure."""
    figure = mapping(value)
    if not isinstance(figure.get("data"), list):
        return None
    return Document(
        title="Plotly figure",
        body=data(figure) + output(),
        libraries=("plotly",),
        starter="show-plotly",
        height=height(mapping(figure.get("layout")).get("height"), _USUAL),
    )


def from_widget(state: Mapping[str, Any]) -> Document | None:
    """The document of a `FigureWidget`, whose state holds the figure."""
    return plotly({key: state.get(f"_{key}") or usual for key, usual in (("data", []), ("layout", {}), ("config", {}))})


def height(value: Any, usual: int) -> int:
    """A declared height in pixels, if it is a sensible one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 20 <= value <= _LARGEST:
        return usual
    return int(value)
