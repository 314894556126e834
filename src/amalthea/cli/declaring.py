"""Commands about the fleet file: `init`, `fleet check`, `fleet schema`, `docs`, and completion for shells."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.shell_completion import get_completion_class
from rich.markup import escape

from amalthea import catalogue
from amalthea.cli.output import console, print_json
from amalthea.cli.place import FILE, Place
from amalthea.fleet.advice import advice
from amalthea.fleet.errors import FleetFileError
from amalthea.fleet.reference import reference
from amalthea.fleet.schema import schema
from amalthea.fleet.template import laptop
from amalthea.model.clock import system_clock
from amalthea.model.errors import AmaltheaError, UsageError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=FILE)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--dry-run", is_flag=True, help="Print it, write nothing.")
def init(file: Path, *, force: bool, dry_run: bool) -> None:
    """Write a commented fleet file: every key, what it means, and its default."""
    text = laptop(catalogue.services(), catalogue.provider_kinds())
    if dry_run:
        click.echo(text, nl=False)
        return
    if file.exists() and not force:
        raise UsageError("there is a file already", where=str(file), hint="Replace it with --force, or name another.")
    try:
        file.write_text(text)
    except OSError as error:
        raise AmaltheaError(f"cannot write it: {error.strerror}", where=str(file)) from None
    click.echo(f"wrote {file}; change it, then: amalthea fleet check, amalthea up")


@click.group()
def fleet() -> None:
    """Check the fleet file, or print its schema."""


@fleet.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def check(place: Place, *, as_json: bool) -> None:
    """Say everything that is wrong in the fleet file."""
    try:
        found = place.load()
    except FleetFileError as error:
        if not as_json:
            raise
        print_json({"file": error.where, "problems": error.problems})
        sys.exit(error.exit_code)
    notes = advice(found, today=system_clock().date())
    if as_json:
        print_json({"file": str(place.file or "the laptop fleet"), "problems": [], "advice": notes})
        return
    for note in notes:
        console().print(f"[yellow]note:[/] {escape(note)}")
    services = ", ".join(found.services)
    console().print(
        f"[green]{place.file or 'the laptop fleet'} is good[/]: {services} at {', '.join(found.providers)}; "
        f"edge at {', '.join(found.edge_sites)}"
    )


@fleet.command("schema")
def show_schema() -> None:
    """Print the JSON schema of the fleet file, for editors."""
    print_json(schema(catalogue.services(), catalogue.provider_kinds()))


@click.command()
@click.argument("key", default="")
def docs(key: str) -> None:
    """Explain a key of the fleet file, such as services.nbviewer or edge.listen."""
    click.echo(reference(key, catalogue.services(), catalogue.provider_kinds()))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete this command: eval "$(amalthea completion bash)"."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "amalthea", "_AMALTHEA_COMPLETE").source())


COMMANDS = (init, fleet, docs, completion)
