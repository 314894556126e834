"""Formats 2, 3 and 4 into one shape, leniently.

Files differ from the schema in every way one can think of: a string where a list should be, metadata that is a
list, output kinds from the future. Nothing here raises for that; whatever is missing or of the wrong shape is
taken as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from amalthea.services.nbviewer.render import foldings
from amalthea.services.nbviewer.render.errors import NotANotebook
from amalthea.services.nbviewer.render.notebook import (
    Bundle,
    Cell,
    Failure,
    Notebook,
    Output,
    Stream,
    Unknown,
)

_SHORT = 100
_OLD_MIME_TYPES = {  # the keys of format 3
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
    "pdf": "application/pdf",
}
_OLD_KINDS = {"text": "markdown", "plaintext": "raw", "rst": "raw", "rest": "raw"}
_RAW_MIME_TYPES = {
    "html": "text/html",
    "latex": "text/latex",
    "markdown": "text/markdown",
    "rst": "text/restructuredtext",
}
_SLIDES = ("slide", "subslide", "fragment", "skip", "notes")
_SOURCES = ("source", "input", "code", "text")  # where a cell's own text may stand; the last two in format 1
_WIDGETS = "application/vnd.jupyter.widget-state+json"
_BUNDLES = ("display_data", "execute_result", "update_display_data", "pyout")


def notebook(value: Any) -> Notebook:
    """The frame of a notebook, without cells where it only names its format. Raises `NotANotebook`."""
    if not isinstance(value, dict):
        raise NotANotebook(f"This file is JSON, but no notebook: it holds {_kind(value)}, not an object with cells.")
    metadata = mapping(value.get("metadata"))
    cells = _cells(value)
    if cells is None and isinstance(value.get("nbformat"), int):
        cells = []
    if cells is None:
        raise NotANotebook(
            'This file is JSON, but no notebook: it has neither "cells" nor "worksheets", and no format.',
            hint="A notebook of format 3 or 4 has one of them.",
        )
    kernel = mapping(metadata.get("kernelspec"))
    return Notebook(
        title=_short(metadata.get("title")) or _short(metadata.get("name")),
        language=_language(metadata, kernel, cells),
        kernel=_short(kernel.get("display_name")) or _short(kernel.get("name")),
        nbformat=_version(value),
        cells=tuple(cells),
        hide_source=metadata.get("hide_input") is True,
        widgets=mapping(mapping(mapping(metadata.get("widgets")).get(_WIDGETS)).get("state")),
    )


def cell(value: Any, frame: Notebook) -> Cell:
    """One cell; every field has a default. Raises `ValueError` where there is no cell at all."""
    if not isinstance(value, dict):
        raise ValueError(f"it is {_kind(value)}, not an object")
    kind = _cell_kind(value)
    source = joined(next((value[key] for key in _SOURCES if key in value), None))
    if kind == "heading":
        kind, source = "markdown", f"{'#' * _level(value.get('level'))} {' '.join(source.split())}"
    metadata = mapping(value.get("metadata"))
    outputs = value.get("outputs")
    folding, label = foldings.folding(metadata, source if kind == "code" else "")
    if frame.hide_source or value.get("collapsed") is True:
        folding = foldings.also(folding, hide_source=frame.hide_source, hide_outputs=value.get("collapsed") is True)
    return Cell(
        kind=_OLD_KINDS.get(kind, kind),
        source=source,
        language=_short(value.get("language")).lower() or frame.language,
        count=_count(_either(value, "execution_count", "prompt_number")),
        outputs=foldings.left(outputs, metadata) if isinstance(outputs, list) else (),
        attachments=mapping(value.get("attachments")),
        folding=folding,
        slide=_slide(metadata),
        mime=_mime(metadata) if kind == "raw" else "",
        label=label,
    )


def output(value: Any) -> Output:
    """One output. What is not known comes back as `Unknown`, with whatever text there is."""
    if not isinstance(value, dict):
        return Unknown(_kind(value), joined(value))
    kind = value.get("output_type") or _guessed(value)
    if kind == "stream":
        return Stream(_short(value.get("name") or value.get("stream")), joined(value.get("text")))
    if kind in _BUNDLES:
        return _bundle(value)
    if kind in ("error", "pyerr"):
        lines = value.get("traceback")
        traceback = "\n".join(map(joined, lines)) if isinstance(lines, list) else joined(lines)
        return Failure(joined(value.get("ename")), joined(value.get("evalue")), traceback)
    data = mapping(value.get("data"))
    return Unknown(_short(kind) or "nameless", joined(data.get("text/plain", value.get("text"))))


def joined(value: Any) -> str:
    """A string, a list of strings, or any JSON value, as text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        try:
            return "".join(value)
        except TypeError:  # not all of them are strings
            pass
    return msgspec.json.encode(value).decode()


def mapping(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one when it is something else."""
    return value if isinstance(value, dict) else {}


def _cells(value: Mapping[str, Any]) -> list[Any] | None:
    if isinstance(value.get("cells"), list):
        return list(value["cells"])
    if isinstance(value.get("worksheets"), list):
        sheets = [mapping(sheet).get("cells") for sheet in value["worksheets"]]
        return [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    return None


def _language(metadata: Mapping[str, Any], kernel: Mapping[str, Any], cells: list[Any]) -> str:
    """Where the file names its language. Notebooks older than kernels are Python's."""
    named = (
        _short(mapping(metadata.get("language_info")).get("name"))
        or _short(kernel.get("language"))
        or _short(metadata.get("language"))
        or next((_short(c.get("language")) for c in cells[:50] if isinstance(c, dict) and c.get("language")), "")
        or _short(kernel.get("name")).rstrip("0123456789")
    )
    return named.lower() or "python"


def _cell_kind(value: Mapping[str, Any]) -> str:
    """The kind that the cell names; where it names none, code if it could be that."""
    return _short(value.get("cell_type")) or ("code" if "outputs" in value or "input" in value else "")


def _guessed(value: Mapping[str, Any]) -> str:
    """The kind of an output that names none."""
    if isinstance(value.get("data"), dict):
        return "display_data"
    if "traceback" in value or "ename" in value:
        return "error"
    return "stream" if "text" in value else ""


def _slide(metadata: Mapping[str, Any]) -> str:
    found = mapping(metadata.get("slideshow")).get("slide_type")
    return found if isinstance(found, str) and found in _SLIDES else ""


def _mime(metadata: Mapping[str, Any]) -> str:
    named = (_short(metadata.get("raw_mimetype")) or _short(metadata.get("format"))).lower()
    return _RAW_MIME_TYPES.get(named, named)


def _either(value: Mapping[str, Any], key: str, old_key: str) -> Any:
    return value[key] if key in value else value.get(old_key)


def _bundle(value: Mapping[str, Any]) -> Bundle:
    data = value.get("data")
    if not isinstance(data, dict):
        data = {mime: value[key] for key, mime in _OLD_MIME_TYPES.items() if key in value}
    wanted = value.get("output_type") in ("execute_result", "pyout")
    count = _count(_either(value, "execution_count", "prompt_number")) if wanted else ""
    return Bundle(data=data, metadata=mapping(value.get("metadata")), count=count)


def _short(value: Any) -> str:
    return " ".join(value[: 4 * _SHORT].split())[:_SHORT] if isinstance(value, str) else ""


def _count(value: Any) -> str:
    """An execution count: a number, or the `*` of a cell that still ran."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**6 else ""
    return "*" if value == "*" else ""


def _level(value: Any) -> int:
    return min(6, max(1, value)) if isinstance(value, int) else 1


def _version(value: Mapping[str, Any]) -> str:
    numbers = [value.get(key) for key in ("nbformat", "nbformat_minor")]
    known = [str(n) for n in numbers if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1000]
    return ".".join(known) if isinstance(numbers[0], int) else ""


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
