"""A document into the page, as a frame that shows it from the content origin.

The frame is sandboxed without `allow-same-origin`: what runs inside has no origin, so it can reach neither the page
around it nor anything else on either host. The page grows the frame to the height that it reports.
"""

from __future__ import annotations

import hashlib

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.active.document import Document
from amalthea.services.nbviewer.render.notices import once
from amalthea.services.nbviewer.render.page import Frame, Page


def framed(made: Document, page: Page) -> str:
    """The document as a frame, or a notice where the page has enough of them; nothing where there is nothing to see."""
    if not made.body:
        return ""
    body = made.html()
    limits = page.limits
    if len(body) > limits.frame:
        return once(f"{made.title}: {len(body):,} characters are too many to be shown here.", page)
    digest = hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()
    if digest not in page.frames:
        held = sum(len(frame.body) for frame in page.frames.values())
        if len(page.frames) >= limits.frames or held + len(body) > limits.framed:
            return once("This page has as many interactive outputs as are shown; the rest is left out.", page)
        page.frames[digest] = Frame(digest, body)
    where = f", output of cell {page.cell}" if page.cell else ""
    return (
        f'<iframe class="frame" sandbox="allow-scripts" src="{escape.attribute(page.options.content)}/frame/{digest}"'
        f' height="{made.height}" loading="lazy" title="{escape.attribute(made.title)}{where}"></iframe>'
    )
