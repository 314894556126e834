"""Commands that change what runs: `plan`, `apply`, `down`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import click

from amalthea.cli.output import console, print_json
from amalthea.cli.place import Opened, Place
from amalthea.cli.progress import Progress
from amalthea.fleet.apply import apply as carry_out
from amalthea.fleet.change import Action
from amalthea.fleet.plan import Plan, plan, teardown
from amalthea.fleet.survey import Survey, survey
from amalthea.model.errors import ProviderError
from amalthea.providers.process import tidy

as_json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
allow_option = click.option(
    "--allow", "allowed", multiple=True, metavar="RISK", help="Accept one risk of the plan, by name."
)
_SIGNS = {
    Action.START: "[green]+ start[/]  ",
    Action.REPLACE: "[yellow]~ replace[/]",
    Action.ADOPT: "[yellow]~ adopt[/]  ",
    Action.STOP: "[red]- stop[/]   ",
    Action.KEEP: "[dim]= keep[/]   ",
}


@click.command("plan")
@as_json_option
@allow_option
@click.pass_obj
def show_plan(place: Place, *, as_json: bool, allowed: tuple[str, ...]) -> None:
    """Show what `apply` would change, and refuse what is unsafe, with numbers."""

    async def work() -> None:
        async with place.open() as opened:
            made = await make_plan(opened)
            show(made, as_json=as_json)
            made.refuse(allowed)

    asyncio.run(work())


@click.command("apply")
@as_json_option
@allow_option
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@click.pass_obj
def apply_plan(place: Place, *, as_json: bool, allowed: tuple[str, ...], dry_run: bool) -> None:
    """Make what runs equal to the fleet file; what it starts goes on when this command ends."""

    async def work() -> None:
        async with place.open() as opened:
            if dry_run:
                made = await make_plan(opened)
                show(made, as_json=as_json)
                made.refuse(allowed)
                return
            with place.changing():
                await apply_to(opened, allowed=allowed, as_json=as_json)

    asyncio.run(work())


@click.command()
@as_json_option
@click.option("--dry-run", is_flag=True, help="Show what would be stopped, stop nothing.")
@click.pass_obj
def down(place: Place, *, as_json: bool, dry_run: bool) -> None:
    """Stop everything of this fleet on this machine. Stores and logs stay."""

    async def work() -> None:
        async with place.open() as opened:
            made = teardown((await survey(opened.providers)).running)
            if dry_run:
                show(made, as_json=as_json)
            elif made.empty:
                print_json({"what": "done", "stopped": 0}) if as_json else click.echo("nothing runs")
            else:
                with place.changing():
                    await stop_all(opened, as_json=as_json)

    asyncio.run(work())


async def make_plan(opened: Opened, seen: Survey | None = None) -> Plan:
    """The way from what runs to what the file wants."""
    seen = seen or await survey(opened.providers)
    return plan(
        opened.placements,
        seen.running,
        supports={name: provider.supports for name, provider in opened.providers.items()},
        blast_radius=opened.fleet.blast_radius,
        unreachable=seen.unreachable,
    )


async def apply_to(opened: Opened, *, allowed: Collection[str], as_json: bool) -> None:
    """Plan, refuse what is unsafe, and carry out the rest."""
    made = await make_plan(opened)
    made.refuse(allowed)
    with Progress("applying", made.summary() if made.empty else "applied", as_json=as_json) as progress:
        await progress.follow(carry_out(made, providers=opened.providers, edges=opened.edges))


async def stop_all(opened: Opened, *, as_json: bool) -> None:
    """Stop all that runs of this fleet here, and sweep up."""
    made = teardown((await survey(opened.providers)).running)
    with Progress("stopping", "stopped", as_json=as_json) as progress:
        await progress.follow(carry_out(made, providers=opened.providers, edges=()))
    if left := [key for copies in (await survey(opened.providers)).running.values() for key in copies]:
        raise ProviderError(f"still running: {', '.join(left)}", hint="Try again: amalthea down")
    tidy(opened.directory)


def show(made: Plan, *, as_json: bool) -> None:
    """The plan for people or machines."""
    if as_json:
        print_json(made)
        return
    out = console()
    for change in made.changes:
        out.print(f"{_SIGNS[change.action]} {change.name:<16} at {change.site}")
    for risk in made.risks:
        out.print(f"[bold yellow]! {risk.name}[/]: {risk.message}")
    out.print(made.summary())


COMMANDS = (show_plan, apply_plan, down)
