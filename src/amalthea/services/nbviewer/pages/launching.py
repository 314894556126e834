"""The buttons that lead from a notebook to somewhere that runs it: URL templates, filled in from its place.

A value in the path of a template keeps its slashes, one in its query or fragment does not: both are what Binder, Colab
and their like expect. Nothing of a visitor's gets into a URL without being encoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from amalthea.services.nbviewer.settings import Launcher
from amalthea.services.nbviewer.source import Launch, Place

_FIELD = re.compile(r"\{(\w+)\}")


class Launching:
    """The declared buttons. `fixed` are the words of templates that are the same for every notebook.

    A button is left out where one of its words is empty, such as Binder's where there is no BinderHub.
    """

    def __init__(self, declared: Sequence[Launcher], **fixed: str) -> None:
        self._declared = declared
        self._fixed = {name: url.rstrip("/") for name, url in fixed.items()}

    def buttons(self, place: Place | None) -> tuple[Launch, ...]:
        """The buttons for a notebook in some place; none where nobody else can reach it."""
        if place is None:
            return ()
        fitting = (launcher for launcher in self._declared if place.kind in launcher.sources)
        filled = ((launcher.label, self._filled(launcher.url, place)) for launcher in fitting)
        return tuple(Launch(label, url) for label, url in filled if url)

    def _filled(self, template: str, place: Place) -> str:
        values = {"url": place.url, "user": place.user, "repo": place.repo, "ref": place.ref, "path": place.path}
        if not all({**values, **self._fixed}.get(name) for name in _FIELD.findall(template)):
            return ""

        def value(found: re.Match[str]) -> str:
            if found[1] in self._fixed:
                return self._fixed[found[1]]
            in_query = re.search(r"[?#]", template[: found.start()]) is not None
            return quote(values[found[1]], safe="" if in_query else "/")

        return _FIELD.sub(value, template)
