"""GeoJSON as a small map: a drawing made here, so that it needs neither a script nor tiles from anybody's server.

Longitudes and latitudes become a plane on which distances are true in the middle of the map. Whatever in it is no
geometry is passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from amalthea.services.nbviewer.render.formats import mapping

_WIDTH = 720
_TALLEST = 540
_POINTS = 200_000
_DEPTH = 20
_STYLE = "path{fill:#2d6ea422;stroke:#1c5fa8;stroke-width:1.2;stroke-linejoin:round}.l{fill:none}circle{fill:#b3261e}"

Place = tuple[float, float]


class _Shape(msgspec.Struct, frozen=True):
    """A point, a line or the rings of an area, in degrees."""

    kind: str
    lines: tuple[tuple[Place, ...], ...]


def drawing(value: Any) -> str | None:
    """An SVG drawing of the geometries in a GeoJSON value; None where there is none."""
    shapes = list(_shapes(value, 0))
    places = [place for shape in shapes for line in shape.lines for place in line]
    if not places or len(places) > _POINTS:
        return None
    west, east = min(x for x, _ in places), max(x for x, _ in places)
    south, north = min(y for _, y in places), max(y for _, y in places)
    squeeze = max(0.2, math.cos(math.radians((south + north) / 2)))
    across, up = max((east - west) * squeeze, 1e-4), max(north - south, 1e-4)
    scale = min((_WIDTH - 20) / across, (_TALLEST - 20) / up)

    def at(place: Place) -> str:
        return f"{10 + (place[0] - west) * squeeze * scale:.1f} {10 + (north - place[1]) * scale:.1f}"

    width, height = across * scale + 20, up * scale + 20
    drawn = "".join(_drawn(shape, at) for shape in shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><style>{_STYLE}</style>{drawn}</svg>'
    )


def _drawn(shape: _Shape, at: Any) -> str:
    if shape.kind == "point":
        places = (at(place).split() for line in shape.lines for place in line)
        return "".join(f'<circle cx="{x}" cy="{y}" r="4"/>' for x, y in places)
    closed, kind = ("Z", "") if shape.kind == "area" else ("", ' class="l"')
    path = "".join(f"M{'L'.join(map(at, line))}{closed}" for line in shape.lines if line)
    return f'<path{kind} fill-rule="evenodd" d="{path}"/>'


def _shapes(value: Any, depth: int) -> Iterator[_Shape]:
    found = mapping(value)
    if depth > _DEPTH:
        return
    for key in ("features", "geometries"):
        inner = found.get(key)
        for part in inner if isinstance(inner, list) else ():
            yield from _shapes(part, depth + 1)
    if found.get("geometry") is not None:
        yield from _shapes(found["geometry"], depth + 1)
    kind = str(found.get("type")).removeprefix("Multi")
    kinds = {"Point": "point", "LineString": "line", "Polygon": "area"}
    if kind in kinds:
        lines = tuple(_lines(found.get("coordinates"), 0))
        if lines:
            yield _Shape(kinds[kind], lines)


def _lines(value: Any, depth: int) -> Iterator[tuple[Place, ...]]:
    """The lists of places in coordinates, however deep they are nested."""
    if not isinstance(value, list) or depth > _DEPTH:
        return
    own = _place(value)
    if own is not None:
        yield (own,)
        return
    places = [_place(part) for part in value]
    if any(place is not None for place in places):
        yield tuple(place for place in places if place is not None)
        return
    for part in value:
        yield from _lines(part, depth + 1)


def _place(value: Any) -> Place | None:
    """Longitude and latitude, if it is a pair of such."""
    if not isinstance(value, list) or len(value) < 2:
        return None
    x, y = value[:2]
    numbers = isinstance(x, int | float) and isinstance(y, int | float)
    return (float(x), float(y)) if numbers and abs(x) <= 540 and abs(y) <= 90 else None
