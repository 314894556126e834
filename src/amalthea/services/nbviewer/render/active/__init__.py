"""Outputs that need a program in the browser, as documents for frames on the content origin.

    bundles -> document(bundle, page) -> Document -> framed(Document, page) -> <iframe> in the page

Nothing here makes a stranger's script run on the page's own origin: a document is only ever shown by a sandboxed
frame, and what it holds may be as hostile as it likes.

    choosing     which document a bundle becomes: `plotly`, `vega`, `bokeh`, `widgets`, `hypertext` (HTML, JavaScript)
    merging      outputs that are one thing; `embedding`: pages inside pages; `liveliness`: what needs a frame at all
    document     a whole HTML document, with data and the names of its libraries
    framing      its frame in the page
    libraries    the files on the content origin
    policy       the policy that the content origin sends with a document
"""

from amalthea.services.nbviewer.render.active.choosing import document
from amalthea.services.nbviewer.render.active.document import Document
from amalthea.services.nbviewer.render.active.embedding import card
from amalthea.services.nbviewer.render.active.framing import framed
from amalthea.services.nbviewer.render.active.libraries import Library, edition, libraries, library_url
from amalthea.services.nbviewer.render.active.merging import merged
from amalthea.services.nbviewer.render.active.policy import frame_csp

__all__ = [
    "Document",
    "Library",
    "card",
    "document",
    "edition",
    "frame_csp",
    "framed",
    "libraries",
    "library_url",
    "merged",
]
