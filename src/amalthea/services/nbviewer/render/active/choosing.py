"""Which document a bundle of representations becomes, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amalthea.services.nbviewer.render.active import plotly
from amalthea.services.nbviewer.render.active.document import Document
from amalthea.services.nbviewer.render.notebook import Bundle
from amalthea.services.nbviewer.render.page import Page


def document(given: Bundle, page: Page) -> Document | None:
    """The document of the best interactive representation; None where there is none that works."""
    for kind in plotly.KINDS:
        if kind in given.data:
            return plotly.plotly(given.data[kind])
    return None
