"""A notebook of 50 MB, as people make them: a thousand pictures, some thousand cells, a lot of printed text."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

SIZE = 50_000_000
_SEED = 20161213
_PICTURES, _CELLS = 600, 4_000
_CODE = """
import numpy as np
def estimate(samples, *, seed={n}):
    \"\"\"The mean of some draws, and its error.\"\"\"
    draws = np.random.default_rng(seed).normal(size=samples)
    return draws.mean(), draws.std() / np.sqrt(samples)  # {n}
print(f"{{estimate(1_000)[0]:.3f}}", [x ** 2 for x in range(10) if x % 2])
"""
_TEXT = """## Part {n}

The estimate of $\\mu_{{{n}}}$ is *consistent*: see [the next part](#Part-{m}).

- its error falls as $1/\\sqrt{{n}}$
- `estimate` returns both
"""


def large() -> bytes:
    """The notebook; the same bytes each time."""
    draw = random.Random(_SEED)
    cells, pictures = [_cell(number, draw) for number in range(_CELLS)], list[dict[str, Any]]()
    left = SIZE - len(json.dumps(cells)) - 1000
    for number in range(_PICTURES):
        data = base64.encodebytes(draw.randbytes(left // _PICTURES * 3 // 4 - 200)).decode()
        pictures.append(_code(f"plot({number})", [_display({"image/png": data, "text/plain": ["<Figure>"]})]))
    step = _CELLS // _PICTURES
    for number, picture in enumerate(pictures):
        cells.insert(number * (step + 1), picture)
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _cell(number: int, draw: random.Random) -> dict[str, Any]:
    if number % 4 == 0:
        return {"cell_type": "markdown", "metadata": {}, "source": _TEXT.format(n=number, m=number + 4)}
    if number % 4 == 1:
        lines = [f"step {n:6d}  loss {draw.random():.6f}  accuracy {draw.random():.6f}\n" for n in range(60)]
        return _code(_CODE.format(n=number), [{"output_type": "stream", "name": "stdout", "text": lines}])
    if number % 4 == 2:
        return _code(_CODE.format(n=number), [_display({"text/html": _frame(draw), "text/plain": ["   a  b\n"]})])
    return _code(_CODE.format(n=number), [])


def _frame(draw: random.Random) -> list[str]:
    rows = [f"<tr><th>{n}</th>{''.join(f'<td>{draw.random():.6f}</td>' for _ in range(6))}</tr>\n" for n in range(10)]
    return ['<table border="1" class="dataframe">\n', "<tbody>\n", *rows, "</tbody>\n", "</table>"]


def _code(source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "source": source.splitlines(keepends=True),
        "outputs": outputs,
    }


def _display(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}
