"""Vega and Vega-Lite charts from their specification, of any version: the newest library reads them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amalthea.services.nbviewer.render.active.document import Document, data, output
from amalthea.services.nbviewer.render.active.plotly import height
from amalthea.services.nbviewer.render.formats import mapping

KIND = re.compile(r"application/vnd\.(vegalite|vega)\.v\d+(?:\.\d+)*(?:\+json|\.json)")
_USUAL = 360


def vega(kind: str, value: Any, *, metadata: Mapping[str, Any], base: str) -> Document | None:
    """The chart's document; None where there is no specification. `base` is what its relative data resolves against.

    The value is the specification itself, or a URL where it is.
    """
    if not (isinstance(value, dict) and value) and not (isinstance(value, str) and value.startswith("https://")):
        return None
    found = KIND.fullmatch(kind)
    mode = "vega-lite" if found and found[1] == "vegalite" else "vega"
    own = mapping(metadata.get(kind)) or metadata
    options = {**mapping(own.get("embed_options")), "mode": mode}
    return Document(
        title="Vega-Lite chart" if mode == "vega-lite" else "Vega chart",
        body=data({"spec": value, "options": options, "base": base}) + output(),
        libraries=("vega", "vega-lite", "vega-embed"),
        starter="show-vega",
        height=height(mapping(value).get("height"), _USUAL - 60) + 60,
    )
