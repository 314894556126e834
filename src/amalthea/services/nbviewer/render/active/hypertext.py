"""Live HTML and JavaScript as documents, in surroundings like a notebook program's.

What earlier outputs loaded comes first (`init_notebook_mode`, `output_notebook`, `require.config`). Where a script
asks for them there are RequireJS, jQuery, Plotly, Vega and Bokeh, ours instead of a network's; `element` is the place
of an output. Outputs that only load or style something have no frame of their own.
"""

from __future__ import annotations

import re

from amalthea.services.nbviewer.render.active import bokeh
from amalthea.services.nbviewer.render.active.document import Document, as_json
from amalthea.services.nbviewer.render.active.libraries import library_url
from amalthea.services.nbviewer.render.active.liveliness import loads, seen
from amalthea.services.nbviewer.render.page import Page

SILENT = Document(title="", body="")
_OWN_MODULES = ("plotly", "vega", "vega-lite", "vega-embed", "jquery")
_REQUIRE = re.compile(r"\brequire(?:js)?\b|\bdefine\b")
_JQUERY = re.compile(r"\bjQuery\b|\$[.(]|nb-run")
_PLOTLY = re.compile(r"\bPlotly\b")
_PLOTLY_ITSELF = re.compile(r"plotly\.js v|cdn\.plot\.ly")
_MATPLOTLIB = "/* Put everything inside the global mpl namespace */"
_BANNER = "Loading BokehJS"
_LONGEST_LOADER = 400_000
_LOADERS = 20
_USUAL = 40


def runnable(script: str) -> str:
    """JavaScript as an element that is run in its place, with `element`; nothing in it can end the element."""
    return f'<script type="application/json" class="nb-run">{as_json(script)}</script>'


def hypertext(html: str, page: Page) -> Document:
    """The document of live HTML; `SILENT` where there is nothing to see."""
    if _BANNER in html:
        return SILENT
    if not seen(html.replace('class="nb-run"', "")) and "nb-run" not in html:
        remember(html, page)
        return SILENT
    return _document(html, "".join(page.loading))


def javascript(script: str, page: Page) -> Document:
    """The document of a JavaScript output; `SILENT` where it only loads something."""
    if script.lstrip().startswith(_MATPLOTLIB) or not script.strip():
        return SILENT
    html = runnable(script)
    if "element" not in script and loads(script):
        remember(html, page)
        return SILENT
    return _document(html, "".join(page.loading))


def remember(html: str, page: Page) -> None:
    """Keep what loads a library for later outputs; Bokeh is ours, and a large file is likely a library that is."""
    if "bokeh" in html.lower() and "docs_json" not in html:
        return
    if not loads(html):
        page.problem("a style sheet or a script that changes the notebook's own look is not applied")
    elif len(html) <= _LONGEST_LOADER and len(page.loading) < _LOADERS and html not in page.loading:
        page.loading.append(html)


def _document(html: str, before: str) -> Document:
    if "<script" not in html:
        return Document(title="HTML", body=html, height=_USUAL)
    text = before + html
    head, libraries = "", list[str]()
    if _JQUERY.search(text):
        libraries.append("jquery")
    if _REQUIRE.search(text):
        libraries += ("require", "modules")
        head = _modules()
    if _PLOTLY.search(text) and not _REQUIRE.search(text) and not _PLOTLY_ITSELF.search(text):
        libraries.append("plotly")
    if bokeh.mentioned(html):
        return bokeh.document(html, tuple(libraries), head=head)
    return Document(
        title="HTML with scripts" if seen(html) else "JavaScript",
        body=before + html,
        libraries=tuple(libraries),
        starter="run-scripts" if "nb-run" in text else "",
        height=_USUAL,
        head=head,
    )


def _modules() -> str:
    """Where RequireJS finds our own modules."""
    paths = {name: library_url(name).removesuffix(".js") for name in _OWN_MODULES}
    return f"<script>nbModules({as_json(paths)})</script>\n"
