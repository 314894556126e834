"""Outputs of one cell that are one thing: HTML with a place for a plot, and the JavaScript that fills it.

Bokeh and others write two outputs, an empty `<div id=...>` and a script that looks for it. In frames of their own
neither would work; here the script moves into the HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from amalthea.services.nbviewer.render.active.hypertext import runnable
from amalthea.services.nbviewer.render.formats import joined
from amalthea.services.nbviewer.render.notebook import Bundle, Output

SCRIPTS = ("application/javascript", "text/javascript")
_ID = re.compile(r"\bid\s*=\s*[\"']?([^\s\"'<>]{3,200})")
_LOAD = ("application/vnd.bokehjs_load.", "application/vnd.holoviews_load.")
_SEARCHED = 100_000


def merged(outputs: Iterable[Output]) -> Iterator[Output]:
    """The outputs, each script joined with the HTML before it that has its place."""
    waiting: Bundle | None = None
    for made in outputs:
        if waiting is not None and isinstance(made, Bundle) and _belongs(made, waiting):
            html = joined(waiting.data["text/html"]) + runnable(script(made))
            waiting = Bundle(data={"text/html": html}, metadata=waiting.metadata, count=waiting.count)
            continue
        if waiting is not None:
            yield waiting
        waiting = None
        if isinstance(made, Bundle) and "text/html" in made.data and "<" in joined(made.data["text/html"])[:_SEARCHED]:
            waiting = made
        else:
            yield made
    if waiting is not None:
        yield waiting


def script(given: Bundle) -> str:
    """The JavaScript of a bundle; empty where it has none."""
    return next((joined(given.data[kind]) for kind in SCRIPTS if kind in given.data), "")


def loading(given: Bundle) -> bool:
    """Whether it says of itself that it only loads a library."""
    return any(kind.startswith(_LOAD) for kind in given.data)


def _belongs(made: Bundle, before: Bundle) -> bool:
    text = script(made)
    if not text or "text/html" in made.data or loading(made):
        return False
    return any(name in text for name in _ID.findall(joined(before.data["text/html"])[:_SEARCHED]))
