"""The nouns of a notebook, the same for every version of the format. `formats` makes them out of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Stream(msgspec.Struct, frozen=True):
    """What a program printed. `name` is `stdout` or `stderr`."""

    name: str
    text: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in several representations, by MIME type. `count` is the `n` of `Out[n]`, or empty."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any]
    count: str = ""


class Failure(msgspec.Struct, frozen=True):
    """An error with its coloured traceback."""

    name: str
    message: str
    traceback: str


class Unknown(msgspec.Struct, frozen=True):
    """An output of a kind that the format does not have; `text` is what can be shown of it."""

    kind: str
    text: str


Output = Stream | Bundle | Failure | Unknown


class Folding(msgspec.Struct, frozen=True, kw_only=True):
    """What of a cell its author hid (can be opened) or removed (is not there at all)."""

    hide_source: bool = False
    hide_outputs: bool = False
    remove_cell: bool = False
    remove_source: bool = False
    remove_outputs: bool = False
    scrolled: bool = False


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell.

    kind:   `markdown`, `code`, `raw`, `html` or whatever the file says
    slide:  what it begins in a slide show: `slide`, `subslide`, `fragment`, `skip`, `notes`; empty where it goes on
    mime:   what a raw cell holds, such as `text/latex`; possibly empty
    label:  what stands for hidden code, possibly empty
    """

    kind: str
    source: str
    language: str
    count: str
    outputs: tuple[Any, ...]
    attachments: Mapping[str, Any]
    folding: Folding
    slide: str = ""
    mime: str = ""
    label: str = ""


class Notebook(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook whose cells are still JSON, so that a bad one can fail alone."""

    title: str
    language: str
    kernel: str
    nbformat: str
    cells: tuple[Any, ...]
    hide_source: bool
    widgets: Mapping[str, Any] = {}
