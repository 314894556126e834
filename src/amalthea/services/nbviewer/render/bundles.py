"""One MIME bundle: the best representation that can be shown without running anything.

A bundle holds the same thing several times. The order of preference is HTML, Markdown, LaTeX, drawings, images, JSON,
text; a representation that turns out unusable (LaTeX without math, a broken image) gives way to the next. What would
need a program in the browser (plots, widgets) is shown as its passive stand-in, an image before a table before text,
with a notice; HTML that runs scripts gives way to an image if there is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from amalthea.services.nbviewer.render import escape, geojson, images
from amalthea.services.nbviewer.render.active import card, document, framed
from amalthea.services.nbviewer.render.colours.code import highlight
from amalthea.services.nbviewer.render.formats import joined
from amalthea.services.nbviewer.render.markdown import markdown, scrolling
from amalthea.services.nbviewer.render.math.formulas import protect
from amalthea.services.nbviewer.render.notebook import Bundle
from amalthea.services.nbviewer.render.notices import interactive, left_out, notice, once, too_long, too_tangled
from amalthea.services.nbviewer.render.page import Page
from amalthea.services.nbviewer.render.terminal import terminal

_WIDGET = "a widget"
_STATELESS = "This widget was saved without its state; it can only be seen by running the notebook."
_INTERACTIVE = (  # the beginning of a MIME type, and who makes it
    ("application/vnd.plotly.", "Plotly"),
    ("text/vnd.plotly.", "Plotly"),
    ("application/vnd.vegalite.", "Vega-Lite"),
    ("application/vnd.vega.", "Vega"),
    ("application/vnd.bokehjs_", "Bokeh"),
    ("application/vnd.holoviews_", "HoloViews"),
    ("application/vnd.jupyter.widget-view", _WIDGET),
    ("application/javascript", "JavaScript"),
    ("text/javascript", "JavaScript"),
)
_MAKERS = (  # what HTML that runs a script holds, and who makes it
    (re.compile(r"plotly", re.I), "Plotly"),
    (re.compile(r"vega-?embed|vegaEmbed", re.I), "Vega"),
    (re.compile(r"bk-root|bokeh", re.I), "Bokeh"),
    (re.compile(r"holoviews", re.I), "HoloViews"),
    (re.compile(r"leaflet|folium", re.I), "a map"),
)
_STAND_IN = re.compile(r"\s*<[A-Za-z_][\w.]* (?:object|at 0x)[^<>\n]*>\s*|\s*<IPython\.[\w.]+[^<>\n]*>\s*")
_DRAWING = re.compile(r"\s*(?:<\?xml[^<>]{0,300}\?>\s*)?(?:<!DOCTYPE[^<>]{0,300}>\s*)?<svg\b", re.I)
_TAG = re.compile(r"<[^>]*>")

Representation = Callable[[Any, Mapping[str, Any], Page], str | None]


def bundle(given: Bundle, page: Page) -> str:
    """The bundle as HTML."""
    data = given.data
    live = document(given, page) if page.options.content else None
    if live is not None:
        return framed(live, page) + _picture(given, page)
    elsewhere = card(joined(data.get("text/html")), page.link_base) if "text/html" in data else None
    if elsewhere is not None:
        return _first(_PICTURES, given, page) + elsewhere
    makers = [who for start, who in _INTERACTIVE if any(kind.startswith(start) for kind in data)]
    source = joined(data.get("text/html"))
    if not makers and "<script" in source.lower():
        makers = [next((who for sign, who in _MAKERS if sign.search(source)), "JavaScript")]
        if any(kind in data for kind in _PICTURES):
            return _first(_PASSIVE, given, page)
    if not makers:
        return _first(_USUAL, given, page) or _unknown(data, page)
    stands_in = _STAND_IN.fullmatch(joined(data.get("text/plain"))[:500])
    shown = _first(_PASSIVE[:-1] if stands_in else _PASSIVE, given, page)
    if page.options.content and makers[0] == _WIDGET:
        return shown + once(
            "This widget was saved without its state; it can only be seen by running the notebook.", page
        )
    return shown + interactive(makers[0], page)


def _picture(given: Bundle, page: Page) -> str:
    """What to see where the frame shows nothing: on paper, or without scripts."""
    picture = _first(_PICTURES, given, page)
    return f'<details class="standin"><summary>As a picture</summary>{picture}</details>' if picture else ""


def _first(kinds: Sequence[str], given: Bundle, page: Page) -> str:
    """The first of some representations that there is and that can be shown."""
    shown = (_shown(kind, given.data[kind], given.metadata, page) for kind in kinds if kind in given.data)
    return next(filter(None, shown), "")


def _shown(kind: str, value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    if kind in images.RASTER:
        return images.raster(kind, value, metadata, page)
    return _REPRESENTATIONS[kind](value, metadata, page)


def _html(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    source = joined(value)
    if len(source) > page.limits.html and "data:image/" not in source:
        return once(f"A table or page of {len(source):,} characters is too long to be shown here.", page)
    if _DRAWING.match(source) and source.rstrip().endswith("</svg>"):
        return images.drawing(source, metadata, page)
    cleaned = page.cleaner.clean(source)
    if cleaned is None:
        return too_tangled(source, page)
    safe = scrolling(cleaned.html) if "<table" in cleaned.html else cleaned.html
    told = left_out(tuple(what for what in cleaned.removed if what != "a script"), page)
    seen = "<img" in safe or bool(_TAG.sub("", safe).strip())
    return f'<div class="html">{safe}</div>{told}' if seen else told or None


def _markdown(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    return f'<div class="text">{markdown(joined(value), page)}</div>'


def _latex(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    """LaTeX as far as it is math; None where any of it cannot be typeset."""
    protected = protect(joined(value))
    if not protected.formulas or len(protected.formulas) > 1000:
        return None
    made = page.typesetter.all(protected.formulas)
    if made is None:
        return None
    place = re.compile(rf"{protected.mark}(\d+)x")
    return f'<div class="latex">{place.sub(lambda found: made[int(found[1])], escape.text(protected.text))}</div>'


def _json(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    try:
        pretty = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except (ValueError, OverflowError, RecursionError):  # numbers beyond 64 bits
        pretty = json.dumps(value, indent=2, ensure_ascii=False)
    size = f", {len(value):,} {'entry' if len(value) == 1 else 'entries'}" if isinstance(value, dict | list) else ""
    if len(pretty) > page.limits.text:
        body = too_long(pretty, page, page.limits.text)
    else:
        body = f"<pre>{highlight(pretty, 'json')}</pre>"
    start = " open" if pretty.count("\n") < 20 else ""
    return f'<details class="json"{start}><summary>JSON{size}</summary>{body}</details>'


def _geojson(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    """A map where there is something to draw, and its JSON."""
    drawn = geojson.drawing(value)
    picture = images.drawing(drawn, {"alt": f"Map, output of cell {page.cell}"}, page) if drawn else ""
    return (picture or "") + (_json(value, metadata, page) or "")


def _text(value: Any, metadata: Mapping[str, Any], page: Page) -> str | None:
    text = joined(value)
    return printed(text, page) if text.strip() else None


def printed(text: str, page: Page, kind: str = "") -> str:
    """Text as a terminal shows it, in a `<pre>`."""
    limit = page.limits.text
    if len(text) > limit:
        page.problem(f"an output of {len(text):,} characters is cut")
        cut = notice(f"The first {limit:,} of {len(text):,} characters.")
        return f"<pre{kind}>{terminal(text[:limit])}</pre>{cut}"
    return f"<pre{kind}>{terminal(text)}</pre>"


def _unknown(data: Mapping[str, Any], page: Page) -> str:
    if not data:
        return ""
    text = data.get("text/plain")
    if text is not None:
        return _text(text, {}, page) or ""
    kinds = ", ".join(kind[:60] for kind in list(data)[:5])
    return once(f"An output of a kind that cannot be shown here ({kinds}).", page)


_REPRESENTATIONS: Mapping[str, Representation] = {
    "text/html": _html,
    "text/markdown": _markdown,
    "text/latex": _latex,
    images.SVG: images.drawing,
    "application/geo+json": _geojson,
    "application/json": _json,
    "text/plain": _text,
}
_PICTURES = (images.SVG, *images.RASTER)
_WRITTEN = ("text/html", "text/markdown", "text/latex")
_USUAL = ("application/geo+json", *_WRITTEN, *_PICTURES, "application/json", "text/plain")
_PASSIVE = (*_PICTURES, *_WRITTEN, "text/plain")
