"""`up`: a whole fleet on this machine, in the foreground, until Ctrl-C.

Everything it starts hangs on a pipe of this process, so nothing is left even when this process is killed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path

import click
from rich.live import Live

from amalthea import catalogue
from amalthea.cli.changing import apply_to, as_json_option, make_plan, show, stop_all
from amalthea.cli.looking import look
from amalthea.cli.output import console, print_json
from amalthea.cli.place import Opened, Place
from amalthea.cli.screen import health, screen
from amalthea.fleet.survey import survey
from amalthea.fleet.view import Row
from amalthea.model.clock import system_clock
from amalthea.model.errors import UsageError
from amalthea.model.workload import EDGE, State

LOOK_EVERY = 1.0
PATIENCE = 60.0
"""Seconds that the end of `up` waits for another command, so that it leaves nothing behind."""


@click.command()
@as_json_option
@click.option("--dry-run", is_flag=True, help="Show what would be started, start nothing.")
@click.option("--plain", is_flag=True, help="Lines instead of a live screen.")
@click.pass_obj
def up(place: Place, *, as_json: bool, dry_run: bool, plain: bool) -> None:
    """Run the whole fleet on this machine, show it live, and stop it all at Ctrl-C."""
    asyncio.run(_up(place, as_json=as_json, dry_run=dry_run, plain=plain))


async def _up(place: Place, *, as_json: bool, dry_run: bool, plain: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with place.open(lifeline=True) as opened:
        await _refuse_second(opened)
        if dry_run:
            show(await make_plan(opened), as_json=as_json)
            return
        with place.changing():
            started = await _unless(stop, apply_to(opened, allowed=(), as_json=as_json))
        try:
            if started:
                await _watch(opened, stop, as_json=as_json, live=not plain and console().is_terminal)
        finally:
            with place.changing(patience=PATIENCE):
                await stop_all(opened, as_json=as_json)


async def _refuse_second(opened: Opened) -> None:
    running = (await survey(opened.providers)).running
    if count := sum(map(len, running.values())):
        raise UsageError(
            f"this fleet runs already: {count} workloads at {', '.join(sorted(s for s, c in running.items() if c))}",
            where=str(opened.directory),
            hint="See it with `amalthea ps`, change it with `amalthea apply`, stop it with `amalthea down`.",
        )


async def _unless(stop: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Do the work to its end, unless asked to stop; whether it was done."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task.done():
        await task
        return True
    task.cancel()
    await asyncio.wait({task})
    return False


async def _watch(opened: Opened, stop: asyncio.Event, *, as_json: bool, live: bool) -> None:
    """Show the fleet until asked to stop: a live screen, or a line for each thing that changes."""
    here = Path.cwd()
    kept = opened.directory.relative_to(here) if opened.directory.is_relative_to(here) else opened.directory
    note = f"Ctrl-C stops all of it.  Logs: amalthea logs -f  Kept in {kept}"
    if not live:
        await _tell(opened, stop, as_json=as_json, note=note)
        return
    with Live(console=console(), auto_refresh=False, screen=False) as shown:
        while not stop.is_set() and _any_runs(rows := await look(opened)):
            shown.update(screen(opened.fleet, rows, now=system_clock(), note=note), refresh=True)
            await _pause(stop)


async def _tell(opened: Opened, stop: asyncio.Event, *, as_json: bool, note: str) -> None:
    told: dict[str, str] = {}
    if not as_json:
        for service in opened.fleet.services:
            click.echo(f"{service}: {catalogue.front(opened.fleet, service)}/")
        click.echo(note)
    while not stop.is_set() and _any_runs(rows := await look(opened)):
        for row in rows:
            if told.get(row.key) != (now := _words(row)):
                told[row.key] = now
                print_json(row) if as_json else click.echo(f"{row.name} at {row.site}: {now}")
        for key in told.keys() - {row.key for row in rows}:
            click.echo(f"{key}: gone") if not as_json else print_json({"key": key, "state": "gone"})
            del told[key]
        await _pause(stop)


def _any_runs(rows: Sequence[Row]) -> bool:
    """Another command may have stopped everything: then there is nothing left to show."""
    return any(row.state is not State.STOPPED for row in rows)


def _words(row: Row) -> str:
    serves = ", serves visitors" if row.serving and row.service != EDGE else ""
    return f"{health(row).plain}{serves}"


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_EVERY):
            await stop.wait()
    except TimeoutError:
        return


COMMANDS: Sequence[click.Command] = (up,)
