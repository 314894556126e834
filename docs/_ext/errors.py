"""Every error with its exit code, asked of the classes themselves."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import amalthea
from amalthea.model.errors import AmaltheaError


def errors() -> list[type[AmaltheaError]]:
    """Every error there is, by exit code and name."""
    for module in pkgutil.walk_packages(amalthea.__path__, "amalthea."):
        if module.name.endswith(".errors"):
            import_module(module.name)
    return sorted(set(_below(AmaltheaError)), key=lambda error: (error.exit_code, error.__name__))


def _below(error: type[AmaltheaError]) -> Iterator[type[AmaltheaError]]:
    yield error
    for derived in error.__subclasses__():
        yield from _below(derived)


def markdown() -> str:
    """A table of them."""
    rows = (f"| {int(e.exit_code)} | `{e.__name__}` | {_first_sentence(e)} |" for e in errors())
    return "\n".join(["| exit code | error | what it says |", "|---|---|---|", *rows])


def _first_sentence(error: type[AmaltheaError]) -> str:
    text = " ".join(inspect.cleandoc(error.__doc__ or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")
