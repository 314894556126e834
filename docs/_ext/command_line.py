"""The command line as Markdown, asked of the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from amalthea.cli.main import cli


def commands() -> Iterator[click.Context]:
    """A context for the program and each of its commands, in alphabetical order, groups before what is in them."""
    yield from _below(click.Context(cli, info_name="amalthea"))


def _below(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _below(click.Context(command, info_name=name, parent=context))


def options(context: click.Context) -> dict[str, str]:
    """Every option of one command as people write it, and what it means; `--help` is left out."""
    records = (p.get_help_record(context) for p in context.command.params if isinstance(p, click.Option))
    return dict(record for record in records if record)


def markdown() -> str:
    """The whole command line."""
    return "\n\n".join(part for context in commands() for part in _command(context))


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## `{context.command_path}`"
    yield inspect.cleandoc(command.help or "")
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    for names, text in options(context).items():
        yield f"`{names}`\n: {text}"
