"""What a person or a machine reads: lines and tables on a terminal, plain lines in a pipe, JSON when asked."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from rich.console import Console

from amalthea.model.errors import AmaltheaError, ExitCode
from amalthea.model.wire import encode


def console() -> Console:
    """Where results go. Colour and width follow the terminal."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def print_json(value: Any) -> None:
    """One JSON value a line."""
    print(encode(value), flush=True)


def report(error: AmaltheaError, *, as_json: bool) -> ExitCode:
    """Say what went wrong, on the error stream, and return the exit code."""
    if as_json:
        print(json.dumps({"error": error.message, "where": error.where, "hint": error.hint}), file=sys.stderr)
    else:
        shown = Console(stderr=True, highlight=False, soft_wrap=True)
        shown.print("[bold red]error:[/] ", end="")
        shown.print(str(error), markup=False)
    return error.exit_code


def report_fault(error: BaseException, *, as_json: bool) -> ExitCode:
    """A bug of ours: the traceback, and what to do with it."""
    if as_json:
        print(json.dumps({"error": repr(error), "where": "", "hint": ""}), file=sys.stderr)
    else:
        traceback.print_exception(error)
        print("This is a fault in amalthea. Please report it with the lines above.", file=sys.stderr)
    return ExitCode.FAULT


def bytes_text(count: int | None) -> str:
    """A memory size in MB, as process viewers show it."""
    return "-" if count is None else f"{count / 1e6:.0f} MB"
