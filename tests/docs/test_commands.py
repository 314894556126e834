"""Every command line in the documentation is one that the program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from amalthea.cli.main import cli
from docs._ext.command_line import commands, markdown, options
from tests.docs.reading import ROOT, blocks, pages

SHELLS = ("console", "bash", "zsh", "fish", "ini")
COMMAND = re.compile(r"(?:^|[\s(=/])amalthea (?P<words>[a-z-][^|>)\n]*)", re.MULTILINE)
INLINE = re.compile(r"`amalthea ([a-z][a-z ]*)[^`]*`")
TARGET = re.compile(r"(?:`|^\$ )make ([a-z]+)", re.MULTILINE)


def command_lines() -> Iterator[tuple[str, str]]:
    for block in blocks(*SHELLS):
        prompts = block.language == "console"
        lines = [line[2:] for line in block.text.splitlines() if line.startswith("$ ")] if prompts else [block.text]
        for found in COMMAND.finditer("\n".join(lines)):
            yield block.place, found["words"].strip().strip('"')


def context_of(words: list[str]) -> click.Context:
    """The innermost context for a command line, with every option and argument checked and nothing run."""
    command: click.Command = cli
    parent = None
    while isinstance(command, click.Group):
        parent = click.Context(command, parent=parent)
        _, words, _ = command.make_parser(parent).parse_args(words)
        name, *words = words
        found = command.get_command(parent, name)
        assert found is not None, f"there is no command {name}"
        command = found
    return command.make_context(command.name, words, parent=parent)


@pytest.mark.parametrize(("place", "line"), list(command_lines()))
def test_a_command_line_in_a_block_is_accepted(place: str, line: str) -> None:
    context_of(shlex.split(line, comments=True))


def test_the_command_in_a_hubs_configuration_is_accepted() -> None:
    (block,) = (block for block in blocks("python") if "c.JupyterHub.services" in block.text)
    hub = SimpleNamespace(JupyterHub=SimpleNamespace())
    exec(compile(block.text, block.place, "exec"), {"c": hub})
    (service,) = hub.JupyterHub.services
    program, *words = service["command"]
    assert program == "amalthea"
    context_of(words)


def test_there_are_command_lines_to_look_at() -> None:
    assert len(list(command_lines())) > 30


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_named_in_a_sentence_exists(path: Path) -> None:
    known = {context.command_path.partition(" ")[2] for context in commands()}
    for found in INLINE.finditer(path.read_text()):
        words = found[1].split()
        assert {words[0], " ".join(words[:2])} & known, found[0]


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall(path.read_text())) <= targets


def test_the_reference_has_every_command_and_every_option() -> None:
    text = markdown()
    for context in commands():
        assert f"## `{context.command_path}`" in text
        for names in options(context):
            assert f"`{names}`" in text


def test_every_command_and_option_says_what_it_is_for() -> None:
    for context in commands():
        assert context.command.help, context.command_path
        for names, text in options(context).items():
            assert text, f"{context.command_path} {names}"
