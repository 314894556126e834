"""The command group: what all commands share, and how every error becomes a sentence and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import amalthea
from amalthea.cli import attending, changing, declaring, looking, rendering, serving, up
from amalthea.cli.output import report, report_fault
from amalthea.cli.place import place
from amalthea.model.errors import AmaltheaError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--fleet",
    "file",
    type=click.Path(path_type=Path),
    envvar="AMALTHEA_FILE",
    help="The fleet file [default: fleet.toml here, else the laptop fleet].",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="AMALTHEA_DIRECTORY",
    help="Where this machine keeps logs, stores and run files [default: .amalthea beside the fleet file].",
)
@click.version_option(amalthea.__version__, prog_name="amalthea")
@click.pass_context
def cli(context: click.Context, file: Path | None, directory: Path | None) -> None:
    """Run a community's notebook services on several providers, behind one edge.

    Start with `amalthea up`: it runs a small fleet on this machine until Ctrl-C.
    """
    context.obj = place(file, directory)


for module in (up, changing, looking, attending, serving, rendering, declaring):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line and exit with one of the documented codes."""
    as_json = "--json" in sys.argv
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code if error.exit_code != 1 else 2
    except (click.exceptions.Abort, KeyboardInterrupt):
        code = 130
    except AmaltheaError as error:
        code = report(error, as_json=as_json)
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except Exception as error:
        code = report_fault(error, as_json=as_json)
    sys.exit(code)
