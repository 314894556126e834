"""The text of a commented fleet file, made from the structs that also check it.

What it declares is the laptop fleet, so one text is the start of everybody's own file, the documentation of
every key, and the default where there is no file.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from amalthea.fleet.declaration import FleetTable, ProviderKind, ProviderTable, ServiceTable
from amalthea.fleet.keys import Key, bare, fields, keys
from amalthea.fleet.literal import literal
from amalthea.fleet.wording import words
from amalthea.model.errors import AmaltheaError
from amalthea.model.fleet import HERE, EdgeDeclaration, Person
from amalthea.model.service import Service

WIDTH = 100
LONGEST = 80
HEAD = (
    "A fleet: what runs, and where. Every key that there is stands here. One behind a `#` shows the value "
    "that it has anyway or, where that would be nothing, an example; take the `#` away to change it. "
    "`amalthea docs KEY` says more, `amalthea fleet check` finds every mistake."
)
WHOLE = (
    "All of it, because losing this machine loses every site: there is nothing here that a smaller share would save."
)
FLEET = {"name": "laptop", "domain": "localhost", "blast_radius": 1.0}
SITES = ("north", "south")
EDGE = {"on": HERE, "listen": "127.0.0.1:8000", "home": SITES[0]}


def laptop(services: Mapping[str, Service[Any]], kinds: Mapping[str, ProviderKind]) -> str:
    """The laptop fleet as a fleet file: two sites on this machine, one edge outside them, every service."""
    lines = [*_prose(HEAD), "", *_fleet(), "", *_people(), "", *_providers(kinds), "", *_edge()]
    described: set[str] = set()
    for service in services.values():
        lines += ["", *_service(service, described)]
    return "\n".join(lines) + "\n"


def _fleet() -> Iterator[str]:
    yield "[fleet]"
    for key in keys(FleetTable):
        yield from _prose(key.description)
        yield from _prose(WHOLE) if key.name == "blast_radius" else ()
        yield from _pair(key, FLEET.get(key.name))


def _people() -> Iterator[str]:
    yield from _prose("The people who can operate the fleet.")
    yield "#[people.ada]"
    yield from _pairs(keys(Person), {})


def _providers(kinds: Mapping[str, ProviderKind]) -> Iterator[str]:
    kind = next((kind for kind in kinds.values() if kind.local_store), None)
    if kind is None:
        raise AmaltheaError("no kind of provider runs on this machine, so there is no laptop fleet")
    first, *others = SITES
    yield from _prose("The places that run workloads.")
    yield f"[providers.{first}]"
    yield from _pairs(keys(ProviderTable, kind.settings), {"kind": kind.name})
    for name in others:
        yield from ("", *_prose(f"It may hold the same keys as {first}."), f"[providers.{name}]")
        yield f"kind = {literal(kind.name)}"


def _edge() -> Iterator[str]:
    yield from _prose("The proxy in front of every service.")
    yield "[edge]"
    yield from _pairs(keys(EdgeDeclaration), EDGE)


def _service(service: Service[Any], described: set[str]) -> Iterator[str]:
    """One service; the keys that all of them have are described at the first."""
    yield from _prose(service.summary)
    yield f"[services.{service.name}]"
    for key in keys(ServiceTable):
        yield from _prose(key.description) if key.name not in described else ()
        yield from _pair(key, None)
        described.add(key.name)
    yield from _pairs(keys(service.settings), {})


def _pairs(known: Sequence[Key], values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key in known:
        table = bare(key.type)
        if isinstance(table, inspect.StructType):
            yield from _pairs(fields(table), {}, f"{prefix}{key.name}.")
        else:
            yield from _prose(key.description)
            yield from _pair(key, values.get(key.name), prefix)


def _pair(key: Key, value: Any, prefix: str = "") -> Iterator[str]:
    """`value` is what the laptop fleet has; without one, the key is a comment with its default or an example."""
    mark = "" if value is not None else "#"
    shown = value if value is not None else _sample(key)
    if shown is None:
        yield from _prose(f"{key.name} is {words(key.type)}.")
        return
    text = f"{prefix}{key.name} = {_spread(shown)}"
    yield from (mark + line for line in text.splitlines())


def _spread(value: Any, indent: str = "") -> str:
    """A literal that, where it is long, has a line for each item of its lists: tables cannot be broken."""
    text, deeper = literal(value), f"{indent}  "
    if len(indent + text) <= LONGEST:
        return text
    if isinstance(value, list | tuple):
        items = (f"{deeper}{_spread(item, deeper)},\n" for item in value)
        return f"[\n{''.join(items)}{indent}]"
    if isinstance(value, msgspec.Struct):
        pairs = (f"{name} = {_spread(item, indent)}" for name, item in msgspec.structs.asdict(value).items())
        return "{ " + ", ".join(pairs) + " }"
    return text


def _sample(key: Key) -> Any:
    empty = key.default is None or key.default in ("", (), {}, frozenset())
    return key.examples[0] if empty and key.examples else key.default


def _prose(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
