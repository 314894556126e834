"""`render`: notebooks as files, on this machine, without a server."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from amalthea.cli.changing import as_json_option
from amalthea.cli.output import console, print_json
from amalthea.model.errors import AmaltheaError, ExitCode, UsageError
from amalthea.services.nbviewer.press.standalone import FORMATS, Kind, Standalone

STDIN = Path("-")


class Task(msgspec.Struct, frozen=True):
    """A notebook, and the directory and name of its result, without the ending."""

    source: Path
    target: Path


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a notebook: the file that was written, or the error."""

    notebook: str
    file: str = ""
    problems: tuple[str, ...] = ()
    error: str = ""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format", "kind", type=click.Choice([kind.value for kind in FORMATS]), default="html", show_default=True
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Where to [default: beside each]."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be rendered.")
@as_json_option
def render(files: tuple[Path, ...], *, kind: str, output: Path | None, dry_run: bool, as_json: bool) -> None:
    """Make pages, slides or scripts of the notebooks FILES, each one file that needs no server.

    Directories are searched for notebooks; `-` reads one from standard input and writes to standard output, unless
    there is a directory to write to. Outputs that would run scripts are shown as pictures or text.
    """
    tasks = list(_tasks(files, output))
    if not tasks:
        raise UsageError("there is no notebook here", where=" ".join(map(str, files)))
    if dry_run:
        for task in tasks:
            print_json(Outcome(notebook=str(task.source))) if as_json else click.echo(
                f"{task.source} -> {task.target}.*"
            )
        return
    if tasks == [Task(STDIN, STDIN)]:
        made = Standalone().make(sys.stdin.buffer.read(), name="notebook", kind=Kind(kind))
        sys.stdout.buffer.write(made.text.encode(errors="replace"))
        return
    began = time.monotonic()
    failed = _render_all(tasks, Kind(kind), as_json=as_json)
    took = time.monotonic() - began
    if as_json:
        print_json({"what": "done", "rendered": len(tasks) - failed, "failed": failed, "seconds": round(took, 3)})
    else:
        done = len(tasks) - failed
        click.echo(f"{done} {'notebook' if done == 1 else 'notebooks'} rendered in {took:.1f} s", nl=False)
        click.echo(f", {failed} failed" if failed else "")
    if failed:
        raise click.exceptions.Exit(ExitCode.FAULT)


def _tasks(files: Sequence[Path], output: Path | None) -> Iterator[Task]:
    for file in files:
        if file == STDIN:
            yield Task(STDIN, output / "notebook" if output else STDIN)
        elif file.is_dir():
            for found in sorted(file.rglob("*.ipynb")):
                below = found.relative_to(file)
                if not any(part.startswith(".") for part in below.parts) and found.is_file():
                    yield Task(found, (output / below if output else found).with_suffix(""))
        elif file.is_file():
            yield Task(file, (output / file.name if output else file).with_suffix(""))
        else:
            raise UsageError("there is no such file", where=str(file), hint="Name a notebook or a directory of them.")


def _render_all(tasks: Sequence[Task], kind: Kind, *, as_json: bool) -> int:
    """Render each, say how it went, and count the failures."""
    standalone, failed = Standalone(), 0
    bar = Progress(
        TextColumn("rendering"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(),
        transient=True,
        disable=as_json or not sys.stdout.isatty(),
    )
    with bar:
        for task in bar.track(tasks):
            outcome = _render_one(standalone, task, kind)
            failed += bool(outcome.error)
            _say(outcome, bar, as_json=as_json)
    return failed


def _render_one(standalone: Standalone, task: Task, kind: Kind) -> Outcome:
    try:
        source = sys.stdin.buffer.read() if task.source == STDIN else task.source.read_bytes()
        made = standalone.make(source, name=task.target.name, kind=kind)
        target = task.target.with_name(task.target.name + made.extension)
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, made.text)
    except AmaltheaError as error:
        return Outcome(notebook=str(task.source), error=" ".join(filter(None, (error.message, error.hint))))
    except OSError as error:
        return Outcome(notebook=str(task.source), error=str(error))
    return Outcome(notebook=str(task.source), file=str(target), problems=made.problems)


def _write(target: Path, text: str) -> None:
    """Whole or not at all: whoever reads the old file meanwhile gets the old file."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(text.encode(errors="replace"))
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _say(outcome: Outcome, bar: Progress, *, as_json: bool) -> None:
    if as_json:
        print_json(outcome)
    elif outcome.error:
        bar.console.print(f"{outcome.notebook}: {outcome.error}", markup=False, style="red")
    else:
        bar.console.print(f"{outcome.notebook} -> {outcome.file}", markup=False)
        for problem in outcome.problems:
            bar.console.print(f"  {problem}", markup=False, style="dim")


COMMANDS = (render,)
