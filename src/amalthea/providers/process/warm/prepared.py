"""What every server would work out for itself, and all alike, worked out once before the fork.

A page's template takes longer to compile than to fill in: a third of the time to the first page that is there at once.
Templates are the environment's files, which say the same in each session.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import CodeType

from jinja2 import BytecodeCache, Environment, FileSystemLoader, TemplateError
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """Templates as code, by file. What changed meanwhile is compiled again: its checksum is another."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, CodeType]] = {}

    def __deepcopy__(self, memo: object) -> Compiled:
        """Itself: each application of a server copies its configuration."""
        return self

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill it, where the template is known as it is now."""
        checksum, code = self._known.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Remember it."""
        if bucket.code is not None:
            self._known[bucket.key] = bucket.checksum, bucket.code


TEMPLATES = Compiled()


def prepare() -> None:
    """Compile the templates that pages are made of, as servers do: what compiles differently is not found again."""
    for directory in _directories():
        loader = FileSystemLoader(directory)
        found = Environment(loader=loader, extensions=["jinja2.ext.i18n"], autoescape=True, bytecode_cache=TEMPLATES)
        for file in sorted(Path(directory).glob("*.html")):
            try:
                found.get_template(file.name)
            except TemplateError:  # its session says so, if anybody ever asks for it
                continue
    gc.freeze()


def _directories() -> Iterator[str]:
    """Where templates are, written as servers write it."""
    yield str(Path(import_module("jupyter_server").__file__ or "").parent / "templates")
    yield str(Path(import_module("jupyterlab.commands").get_app_dir()) / "static")
    try:
        yield str(Path(import_module("notebook").__file__ or "").parent / "templates")
    except ImportError:
        return
