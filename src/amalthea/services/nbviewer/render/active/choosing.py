"""Which document a bundle of representations becomes, if any."""

from __future__ import annotations

from amalthea.services.nbviewer.render.active import embedding, plotly, vega, widgets
from amalthea.services.nbviewer.render.active.document import Document
from amalthea.services.nbviewer.render.active.hypertext import SILENT, hypertext, javascript, remember, runnable
from amalthea.services.nbviewer.render.active.liveliness import live
from amalthea.services.nbviewer.render.active.merging import loading, script
from amalthea.services.nbviewer.render.formats import joined
from amalthea.services.nbviewer.render.notebook import Bundle
from amalthea.services.nbviewer.render.page import Page

_DRAWING = "<svg"


def document(given: Bundle, page: Page) -> Document | None:
    """The document of the best interactive representation; None where there is none that works."""
    for kind, value in given.data.items():
        made = _by_kind(kind, value, given, page)
        if made is not None:
            return made
    return _scripted(given, page)


def _by_kind(kind: str, value: object, given: Bundle, page: Page) -> Document | None:
    if kind in plotly.KINDS:
        return plotly.plotly(value)
    if vega.KIND.fullmatch(kind):
        return vega.vega(kind, value, metadata=given.metadata, base=page.raw_base.address)
    if kind == widgets.VIEW:
        return widgets.widget(value, states=page.widgets, standin=widgets.standin(given.data.get("text/plain")))
    return None


def _scripted(given: Bundle, page: Page) -> Document | None:
    """The document of live HTML, else of JavaScript."""
    if loading(given):
        remember(joined(given.data.get("text/html")) or runnable(script(given)), page)
        return SILENT
    html = joined(given.data.get("text/html"))
    if "<" in html and not _is_drawing(html) and live(html):
        attributes = embedding.alone(html)
        return embedding.inside(attributes) if attributes is not None else hypertext(html, page)
    code = script(given)
    return javascript(code, page) if code and not html.strip() else None


def _is_drawing(html: str) -> bool:
    """Whether it is one SVG drawing, which an image shows as well."""
    start = html.lstrip()
    return start[:5].lower() in (_DRAWING, "<?xml") and html.rstrip().endswith("</svg>")
