"""Bokeh plots: the script that a notebook keeps, with the library of the version that wrote it.

Versions 2 and 3 are here; the last of each reads the documents of those before it. Older ones load from Bokeh's own
network, which keeps them all, where the policy lets them.
"""

from __future__ import annotations

import re

from amalthea.services.nbviewer.render.active.document import Document

_DOCUMENTS = re.compile(r"docs_json|render_items")
_VERSION = re.compile(r"\\?\"version\\?\"\s*:\s*\\?\"(\d{1,2})\.(\d{1,2})\.(\d{1,2})")
_PARTS = (  # with the sign by which a plot says that it needs one
    ("widgets", re.compile("")),
    ("tables", re.compile("")),
    ("gl", re.compile("webgl")),
    ("mathjax", re.compile(r"MathText|TeX\b|\$\$|\\\\[(\[]")),
)
_NETWORK = "https://cdn.bokeh.org/bokeh/release"
_OWN = ("2", "3")
_USUAL = 450


def mentioned(html: str) -> bool:
    """Whether it embeds documents of Bokeh's."""
    return "Bokeh" in html and _DOCUMENTS.search(html) is not None


def document(html: str, libraries: tuple[str, ...], *, head: str) -> Document:
    """The plot's document; `libraries` and `head` are what it needs beside Bokeh."""
    found = _VERSION.search(html)
    major = found[1] if found else "3"
    parts = [part for part, sign in _PARTS if sign.search(html)]
    if major in _OWN:
        libraries += (f"bokeh-{major}", *(f"bokeh-{major}-{part}" for part in parts))
    elif found:
        head += _from_network(".".join(found.groups()), [part for part in parts if part in ("widgets", "tables")])
    # Bokeh first: RequireJS would take the library for a module of its own.
    ordered = sorted(libraries, key=lambda name: not name.startswith("bokeh"))
    return Document(
        title="Bokeh plot",
        body=html,
        libraries=tuple(ordered),
        starter="run-scripts" if "nb-run" in html else "",
        height=_USUAL,
        head=head,
    )


def _from_network(version: str, parts: list[str]) -> str:
    names = [f"bokeh-{version}", *(f"bokeh-{part}-{version}" for part in parts)]
    styles = "".join(f'<link rel="stylesheet" href="{_NETWORK}/{name}.min.css">\n' for name in names)
    return styles + "".join(f'<script src="{_NETWORK}/{name}.min.js"></script>\n' for name in names)
