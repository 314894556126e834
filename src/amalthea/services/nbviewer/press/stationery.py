"""What pages are made with: templates and the static files that they name.

Everybody who makes pages has the same: the process that answers, and its workers. `edition` changes whenever a
page could come out differently, so that what an older program left in the store is not mistaken for its own.
"""

from __future__ import annotations

import hashlib
from functools import partial
from importlib.resources import files

import msgspec

from amalthea import __version__
from amalthea.model.fleet import Names
from amalthea.model.wire import encode
from amalthea.services.nbviewer.pages.basing import ROOT, based
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages

PACKAGE = "amalthea.services.nbviewer"
_SHARED = "amalthea.web"


class Stationery(msgspec.Struct, frozen=True):
    """Templates, static files, and the hash of all that shapes what is around a notebook."""

    pages: Pages
    static: StaticFiles
    edition: str


def stationery(names: Names, *, base: str = ROOT, site: str = "") -> Stationery:
    """The stationery of a site; without one, that of pages which any site may show. `base` is where all of it lies."""
    static = StaticFiles(_SHARED, PACKAGE, base=base)
    static.join("page.css", "amalthea.css", "nbviewer.css", "notebook.css")
    static.join("deck.css", "reveal.css", "slides.css")
    icon = static.data_url("amalthea.svg")
    at = partial(based, base)
    pages = Pages(static, PACKAGE, names=names, site=site, version=__version__, icon=icon, at=at)
    return Stationery(pages, static, _edition(names, static))


def _edition(names: Names, static: StaticFiles) -> str:
    found = hashlib.sha256(encode((__version__, names, static.names())).encode())
    for package in (_SHARED, PACKAGE):
        for file in sorted(files(package).joinpath("templates").iterdir(), key=lambda file: file.name):
            found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]
