"""The notebook renderer: a pure function from the bytes of a notebook to safe HTML.

    render(bytes, Options) -> Rendered        or NotANotebook

No network, no files, no template engine, no state between calls. Everything in a notebook is a stranger's text; it
leaves here in one of four ways: escaped (code, printed text, every name), cleaned by an allow-list (HTML, Markdown),
as data inside an `<img>`, or as a document of its own, which the page shows in a sandboxed frame of another origin.

    reading      bytes -> JSON, leniently; `mending` and `conflicts` for what is broken
    formats      JSON -> the nouns of `notebook`, for formats 2 to 4
    rendering    the whole; `cells`, `outputs`, `bundles`: its parts
    markdown     text, with `math` for formulas
    colours      code of many languages
    active       documents for frames: plots, widgets, HTML with scripts
    terminal     what programs print
    images       pictures
    cleaning     the allow-list, with `links` and `nesting`
    limits       how much is shown; `notices` stand in for the rest

    slides, script, diff    the same notebook in other forms
"""

from amalthea.services.nbviewer.render.errors import NotANotebook
from amalthea.services.nbviewer.render.limits import Limits
from amalthea.services.nbviewer.render.page import Frame, Heading, Options
from amalthea.services.nbviewer.render.rendering import VERSION, Rendered, render

__all__ = ["VERSION", "Frame", "Heading", "Limits", "NotANotebook", "Options", "Rendered", "render"]
