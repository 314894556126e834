from __future__ import annotations

import base64
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render.geojson import drawing
from tests.services.nbviewer.render.making import display, output
from tests.services.nbviewer.render.passive import assert_passive

LAKE = {"type": "Polygon", "coordinates": [[[8.5, 47.3], [8.6, 47.2], [8.7, 47.25], [8.5, 47.3]]]}
ROAD = {
    "type": "Feature",
    "properties": {},
    "geometry": {"type": "LineString", "coordinates": [[8.4, 47.1], [8.8, 47.4]]},
}
TOWNS = {"type": "MultiPoint", "coordinates": [[8.55, 47.37], [8.7, 47.5]]}
MAP = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": LAKE}, ROAD, TOWNS]}
VALUES = st.recursive(
    st.none() | st.floats() | st.integers() | st.text(max_size=5) | st.sampled_from(["Polygon", "Point", "LineString"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "features", "geometry", "geometries", "coordinates"]), inner)
    ),
)


def test_a_map_is_a_drawing_and_its_json() -> None:
    body = output(display({"application/geo+json": MAP, "text/plain": "<IPython.display.GeoJSON object>"}))
    found = re.search(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="Map, output of cell 1"', body)
    assert found is not None
    drawn = base64.b64decode(found[1]).decode()
    assert drawn.count("<path") == 2
    assert drawn.count("<circle") == 2
    assert "<summary>JSON, 2 entries</summary>" in body
    assert_passive(body)


def test_one_place_is_a_map_too() -> None:
    assert drawing({"type": "Point", "coordinates": [8.5, 47.3, 400]}) is not None


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_any_value_is_a_drawing_or_none(value: Any) -> None:
    drawn = drawing(value)
    assert drawn is None or re.fullmatch(r"[\w\s<>/=\"#.:{};,&+()-]*", drawn)
