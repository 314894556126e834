"""Reference pages made from the code while the documentation is built.

A page holds a marker such as `<!-- generated: metrics -->`. Before the page is parsed, the marker is replaced
by Markdown that is made from the code itself, so what it says cannot be out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from amalthea import catalogue
from amalthea.fleet.reference import page as fleet_file
from docs._ext import command_line, errors, metrics

PATTERN = re.compile(r"(?<=[Tt]ext that matches )(\S+)(?=\.\s)")
MARKER = re.compile(r"^<!-- generated: (.+?) -->$", re.MULTILINE)


def pages() -> Mapping[str, Callable[[], str]]:
    """What makes the text for each marker."""
    return {
        "fleet file": lambda: PATTERN.sub(r"`\1`", fleet_file(catalogue.services(), catalogue.provider_kinds())),
        "command line": command_line.markdown,
        "errors": errors.markdown,
        "metrics": metrics.markdown,
    }


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the generated text in the place of its marker; an unknown marker ends the build."""
    source[0] = MARKER.sub(lambda found: pages()[found[1]](), source[0])


def always(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Generated pages are read at every build: their source is code that Sphinx does not watch."""
    return sorted(name for name in app.project.docnames if MARKER.search(env.doc2path(name).read_text()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", always)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
