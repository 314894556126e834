"""Images as `<img>` with their data inside. SVG too: in an `<img>` no script of it runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.encoded import base64_or_none
from amalthea.services.nbviewer.render.formats import joined, mapping
from amalthea.services.nbviewer.render.notices import once
from amalthea.services.nbviewer.render.page import Page

RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp")
SVG = "image/svg+xml"
_LARGEST = 20_000  # pixels
_PIXELS = re.compile(r"(\d{1,5})(?:\.\d{1,9})?(?:px)?")


def raster(kind: str, value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    """A PNG, JPEG, GIF or WebP; None when the data is not base64."""
    data = base64_or_none(joined(value))
    if data is None:
        page.problem(f"a broken image ({kind})")
        return None
    return _image(kind, data, metadata, page)


def drawing(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    """An SVG drawing; None when it is none."""
    text = joined(value)
    if "<svg" not in text:
        return None
    if "xmlns=" not in text:  # without it a browser shows nothing
        text = text.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return _image(SVG, base64.b64encode(text.encode("utf-8", "replace")).decode(), metadata, page)


def _image(kind: str, data: str, metadata: Mapping[str, Any], page: Page) -> str:
    if len(data) > page.limits.image:
        return once(f"An image of {len(data) * 3 // 4:,} bytes is too large to be shown here.", page)
    own = mapping(metadata.get(kind)) or metadata
    alt = own.get("alt") or metadata.get("alt")
    words = alt if isinstance(alt, str) else f"Image, output of cell {page.cell}"
    return (
        f'<img src="data:{kind};base64,{data}" alt="{escape.attribute(words[:2000])}"{_ground(own)}'
        f"{_size('width', own.get('width'))}{_size('height', own.get('height'))}>"
    )


def _ground(own: Mapping[str, Any]) -> str:
    """What the image needs behind it, where it says so."""
    needed = own.get("needs_background")
    return f' class="on-{needed}"' if needed in ("light", "dark") else ""


def _size(name: str, value: Any) -> str:
    """A declared width or height in pixels, if it is one."""
    found = _PIXELS.fullmatch(value) if isinstance(value, str) else None
    number = int(found[1]) if found else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 1 <= number <= _LARGEST:
        return ""
    return f' {name}="{int(number)}"'
