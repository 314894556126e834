"""Commands that look: `ps` and `logs`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import click

from amalthea.cli.changing import as_json_option
from amalthea.cli.output import console, print_json
from amalthea.cli.place import Opened, Place
from amalthea.cli.screen import advice, table
from amalthea.fleet.survey import survey
from amalthea.fleet.view import Row, view
from amalthea.model.clock import system_clock
from amalthea.model.edge import Edge
from amalthea.model.errors import Unreachable, UsageError
from amalthea.model.route import Endpoint
from amalthea.model.workload import State


@click.command()
@as_json_option
@click.pass_obj
def ps(place: Place, *, as_json: bool) -> None:
    """Show what runs, where, how healthy it is, and which site serves visitors."""

    async def work() -> None:
        async with place.open() as opened:
            rows = await look(opened)
            if as_json:
                print_json(rows)
            elif all(row.state is State.STOPPED for row in rows):
                click.echo("nothing runs; start it with `amalthea up` or `amalthea apply`")
            else:
                console().print(table(rows, now=system_clock()))
                console().print(advice(rows), end="")

    asyncio.run(work())


@click.command()
@click.argument("names", nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Go on with each new line until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="How many to begin with.")
@click.pass_obj
def logs(place: Place, *, names: tuple[str, ...], follow: bool, lines: int) -> None:
    """Show what workloads write; NAMES are services, workloads or sites, all when left out."""

    async def work() -> None:
        async with place.open() as opened:
            chosen = _chosen(await look(opened), names)
            async with asyncio.TaskGroup() as tasks:
                for row in chosen:
                    tasks.create_task(_print_log(opened, row, lines=lines, follow=follow, alone=len(chosen) == 1))

    asyncio.run(work())


async def look(opened: Opened) -> list[Row]:
    """Every workload that runs or should, with what the edges say of it."""
    seen, known = await asyncio.gather(survey(opened.providers), health(opened.edges))
    return view(opened.fleet, seen.running, known, opened.placements)


async def health(edges: Sequence[Edge]) -> Mapping[Endpoint, bool]:
    """What the edges' own checks say; an edge that does not answer says nothing."""
    known: dict[Endpoint, bool] = {}
    for edge in edges:
        try:
            known.update(await edge.healthy())
        except Unreachable:
            continue
    return known


def _chosen(rows: Sequence[Row], names: tuple[str, ...]) -> list[Row]:
    rows = [row for row in rows if row.state is not State.STOPPED]
    found = [row for row in rows if not names or {row.service, row.name, row.site, row.key} & {*names}]
    if not found:
        raise UsageError(
            "nothing of that name runs" if names else "nothing runs",
            where=" ".join(names),
            hint=f"What runs: {', '.join(sorted({row.name for row in rows}))}" if rows else "",
        )
    return found


async def _print_log(opened: Opened, row: Row, *, lines: int, follow: bool, alone: bool) -> None:
    label = "" if alone else f"{row.site}/{row.name} | "
    async for line in opened.providers[row.site].logs(row.key, lines=lines, follow=follow):
        click.echo(label + _harmless(line.rstrip("\n")))


def _harmless(line: str) -> str:
    """What a stranger made a program write must not move the cursor of whoever reads it."""
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)


COMMANDS = (ps, logs)
