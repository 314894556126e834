"""Commands about notebook servers in use: `sessions`, and `doctor`, which says how well they are walled in here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click
import httpx2
import msgspec
from rich.table import Table
from rich.text import Text

from amalthea import catalogue
from amalthea.cli.changing import as_json_option
from amalthea.cli.output import bytes_text, console, print_json
from amalthea.cli.place import Opened, Place
from amalthea.fleet.survey import survey
from amalthea.model.errors import ExitCode, Unreachable, UsageError
from amalthea.model.spawner import Environment, Guarantee
from amalthea.model.workload import Running

_SERVICE = "tmpnb"
_SECONDS = 10.0


@click.group(invoke_without_command=True)
@as_json_option
@click.pass_context
def sessions(context: click.Context, *, as_json: bool) -> None:
    """Show the notebook servers in use at all sites: whose they are, what they do, where they connect to."""
    if context.invoked_subcommand is None:
        asyncio.run(_list(context.obj, as_json=as_json))


@sessions.command("stop")
@click.argument("names", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Only say which of them are there.")
@click.pass_obj
def stop(place: Place, *, names: tuple[str, ...], dry_run: bool) -> None:
    """End sessions. Their work is kept, as after any other end."""
    asyncio.run(_stop(place, names, dry_run=dry_run))


@click.command()
@as_json_option
@click.option("--backend", type=click.Choice(catalogue.spawner_kinds()), default="process", show_default=True)
def doctor(*, as_json: bool, backend: str) -> None:
    """Find out which walls stand around notebook servers on this machine, by starting one.

    Exits with 1 where one is missing.
    """

    async def work() -> Sequence[Guarantee]:
        environments = [Environment(name="doctor")]
        async with catalogue.open_spawner(backend, environments, owner="doctor") as spawner:
            return spawner.guarantees()

    walls = asyncio.run(work())
    if as_json:
        print_json(list(walls))
    else:
        console().print(_walls(walls))
    if not all(wall.holds for wall in walls):
        if not as_json:
            click.echo("Without them, serve nobody but yourself here.")
        raise SystemExit(ExitCode.FAULT)


def _walls(walls: Sequence[Guarantee]) -> Table:
    made = Table.grid(padding=(0, 2, 0, 0))
    for wall in walls:
        mark = Text("✓", style="green") if wall.holds else Text("✗", style="bold red")
        why = f"\n{wall.detail}" if wall.detail and not wall.holds else ""
        made.add_row(mark, Text(wall.name, style="bold"), Text(wall.promise + why))
    return made


async def _list(place: Place, *, as_json: bool) -> None:
    async with place.open() as opened:
        found = await _ask_all(opened, "GET", "/-/sessions")
        if as_json:
            print_json([{"site": site, **answer} for site, answer in found])
            return
        rows = [(site, session) for site, answer in found for session in answer["sessions"]]
        for site, answer in found:
            count = len(answer["sessions"])
            click.echo(
                f"{site}: {count} in use, {answer['ready']} ready, {answer['free']} more can start, "
                f"{answer['waiting']} waiting"
            )
        if rows:
            console().print(_table(rows))


def _table(rows: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("session", no_wrap=True, overflow="fold", min_width=24)
    for column in ("network", "age", "ends in", "does", "memory", "CPU", "reaches"):
        made.add_column(column, overflow="fold")  # what is cut cannot be copied
    for _, session in rows:
        usage = session["usage"]
        doing = "computes" if session["busy"] else f"idle {_span(session['idle'])}"
        hosts = dict.fromkeys(c["host"] for c in session["connections"] if c.get("host"))
        made.add_row(
            session["name"],
            session["network"] or "-",
            _span(session["age"]),
            _span(session["left"]),
            Text(doing + (", slowed down" if session["slowed"] else "")),
            bytes_text(usage.get("memory")),
            "-" if usage.get("cpu") is None else f"{usage['cpu']:.0f} s",
            Text(", ".join(list(hosts)[-3:]) or "-"),
        )
    return made


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


async def _stop(place: Place, names: Sequence[str], *, dry_run: bool) -> None:
    async with place.open() as opened:
        found = await _ask_all(opened, "GET", "/-/sessions")
        known = {session["name"] for _, answer in found for session in answer["sessions"]}
        for name in names:
            if name not in known:
                hint = "`amalthea sessions` shows those that there are."
                raise UsageError("there is no such session", where=name, hint=hint)
        for name in names:
            if not dry_run:
                await _ask_all(opened, "DELETE", f"/-/sessions/{name}")
            click.echo(f"{name}: would be ended" if dry_run else f"{name}: ended; its work is kept")


async def _ask_all(opened: Opened, method: str, path: str) -> list[tuple[str, Any]]:
    """What every process of the service answers, with its site. Raises `UsageError` where none runs."""
    seen = await survey(opened.providers)
    copies = [
        (site, copy) for site, running in seen.running.items() for copy in running.values() if copy.service == _SERVICE
    ]
    if not copies:
        raise UsageError("no temporary notebook servers run in this fleet", hint="Start it with `amalthea apply`.")
    async with httpx2.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
        return list(await asyncio.gather(*(_ask(client, method, path, site, copy) for site, copy in copies)))


async def _ask(client: httpx2.AsyncClient, method: str, path: str, site: str, copy: Running) -> tuple[str, Any]:
    url = f"http://{copy.address}:{copy.ports.get('admin')}{path}"
    try:
        answer = await client.request(method, url)
        return site, msgspec.json.decode(answer.content)
    except (httpx2.HTTPError, msgspec.MsgspecError) as error:
        raise Unreachable(f"tmpnb at {site} does not say: {error}", where=url) from error


COMMANDS = (sessions, doctor)
