"""Every metric, found in the source: where one is made, its name, meaning and labels stand as literals."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import amalthea

KINDS = ("Counter", "Gauge", "Histogram", "Summary")


class Metric(NamedTuple):
    """One metric of one service; `service` is "" for what every HTTP process has."""

    service: str
    name: str
    kind: str
    text: str
    labels: tuple[str, ...]


def metrics() -> list[Metric]:
    """Every metric there is, by service and name. Raises `ValueError` for one that is not made of literals."""
    root = Path(amalthea.__file__).parent
    return sorted(metric for path in root.rglob("*.py") for metric in _of_file(path, path.relative_to(root)))


def _of_file(path: Path, below: Path) -> Iterator[Metric]:
    tree = ast.parse(path.read_text())
    names = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    service = below.parts[1] if below.parts[0] == "services" else ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and _is_metric(node):
            given = [names.get(a.id, a) if isinstance(a, ast.Name) else a for a in node.args]
            name, text, *labels = (ast.literal_eval(argument) for argument in given)
            yield Metric(service, name, node.func.id.lower(), text, tuple(labels[0]) if labels else ())


def _is_metric(call: ast.Call) -> bool:
    """A metric is registered somewhere; `collections.Counter` is not."""
    named = isinstance(call.func, ast.Name) and call.func.id in KINDS
    return named and any(keyword.arg == "registry" for keyword in call.keywords)


def markdown() -> str:
    """A table for each service."""
    return "\n\n".join(_section(service, list(found)) for service, found in groupby(metrics(), lambda m: m.service))


def _section(service: str, found: list[Metric]) -> str:
    rows = (f"| `{m.name}` | {m.kind} | {_labels(m)} | {m.text} |" for m in found)
    title = f"## {service}" if service else "## Every service"
    return "\n".join([title, "", "| name | kind | labels | meaning |", "|---|---|---|---|", *rows])


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "-"
