"""What a benchmark returns: tables for people, rows for machines, and targets that can be missed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table as RichTable

Cell = str | float | int | None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under named columns; numbers keep their type for `--json`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that the project states, and the one measured."""

    name: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure lies within its bounds."""
        above = self.at_least is None or self.measured >= self.at_least
        return above and (self.at_most is None or self.measured <= self.at_most)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one benchmark. `notes` say what was left out and why."""

    name: str
    tables: tuple[Table, ...]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    machine: str = msgspec.field(
        default_factory=lambda: (
            f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
        )
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def median(values: Sequence[float]) -> float:
    """The median; benchmarks report medians and ratios, machines are noisy."""
    return statistics.median(values)


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def show(report: Report, console: Console) -> None:
    """Print a report for people."""
    for table in report.tables:
        shown = RichTable(title=table.title, title_justify="left")
        for number, column in enumerate(table.columns):
            shown.add_column(column, justify="left" if number == 0 else "right")
        for row in table.rows:
            shown.add_row(*map(_text, row))
        console.print(shown)
    for target in report.targets:
        bound = f">= {_text(target.at_least)}" if target.at_least is not None else f"<= {_text(target.at_most)}"
        console.print(
            f"{'met   ' if target.met else 'MISSED'} {target.name}: {_text(target.measured)} (target {bound})"
        )
    for note in report.notes:
        console.print(f"note: {note}")
    console.print(f"on {report.machine}", style="dim")
