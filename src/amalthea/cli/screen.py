"""The picture of a running fleet: where each service is, which site serves it, and its health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group
from rich.table import Table
from rich.text import Text

from amalthea import catalogue
from amalthea.cli.output import bytes_text
from amalthea.fleet.view import Row
from amalthea.model.fleet import Fleet
from amalthea.model.workload import EDGE, State


def health(row: Row) -> Text:
    """One word and a shape, never colour alone."""
    if row.state is State.RESTARTING:
        return Text("✗ restarting", style="red")
    if row.state is State.ORPHANED:
        return Text("! unsupervised", style="yellow")
    if row.state is State.STOPPED:
        return Text(f"✗ {row.detail or 'stopped'}", style="red")
    if row.service == EDGE:
        return Text("● running", style="green")
    if row.healthy is None:
        return Text("? not routed", style="yellow")
    return Text("● healthy", style="green") if row.healthy else Text("✗ not answering", style="red")


def table(rows: Sequence[Row], *, now: datetime) -> Table:
    """Every workload, one line each."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("service", "site", "health", "visitors", "address", "memory", "up for"):
        made.add_column(name, justify="right" if name in {"memory", "up for"} else "left", no_wrap=True)
    for row in rows:
        port = row.ports.get("http", 0)
        made.add_row(
            Text(row.name if row.service == EDGE else row.service, style="bold"),
            row.site,
            health(row),
            Text("◀ serves" if row.serving and row.service != EDGE else "", style="cyan"),
            f"{row.address}:{port}" if port else "-",
            bytes_text(row.memory),
            age(row.started, now),
        )
    return made


def screen(fleet: Fleet, rows: Sequence[Row], *, now: datetime, note: str) -> Group:
    """The whole screen of `amalthea up`."""
    head = Text.assemble(("amalthea", "bold"), f"  {fleet.name}  ", (now.astimezone().strftime("%H:%M:%S"), "dim"))
    return Group(
        head, Text(), links(fleet, rows), Text(), table(rows, now=now), Text(), advice(rows), Text(note, style="dim")
    )


def advice(rows: Sequence[Row]) -> Text:
    """What to do about what is missing: a line of its own, or nothing."""
    if any(row.state in {State.STOPPED, State.ORPHANED} for row in rows):
        return Text("`amalthea apply` brings back what is gone.\n", style="yellow")
    return Text("", end="")


def links(fleet: Fleet, rows: Sequence[Row]) -> Table:
    """Where a browser finds each service, and which site answers there now."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_row(Text("all services"), _link(fleet.names.home), "")
    for service in fleet.services:
        sites = sorted({row.site for row in rows if row.service == service and row.serving})
        answer = (
            Text(f"served by {' and '.join(sites)}", style="cyan") if sites else Text("nobody serves it", style="red")
        )
        made.add_row(Text(service, style="bold"), _link(catalogue.front(fleet, service)), answer)
    return made


def _link(url: str) -> Text:
    return Text.assemble((f"{url}/", "underline"))


def age(started: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if started is None:
        return "-"
    seconds = max(0, int((now - started).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
