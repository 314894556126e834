"""Small notebooks for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amalthea.services.nbviewer.render import Options, Rendered, render


def markdown(source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def code(source: str | list[str] = "x", *outputs: Any, **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": list(outputs),
        **more,
    }


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def display(data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"output_type": "display_data", "data": dict(data), "metadata": dict(metadata or {})}


def notebook(*cells: Any, **metadata: Any) -> bytes:
    whole = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole).encode()


def shown(*cells: Any, options: Options | None = None, **metadata: Any) -> Rendered:
    return render(notebook(*cells, **metadata), options or Options())


def text(source: str, **more: Any) -> str:
    """The body of a notebook with one Markdown cell."""
    return shown(markdown(source, **more)).body


def output(*outputs: Any) -> str:
    """The body of a notebook with one code cell."""
    return shown(code("x", *outputs)).body
