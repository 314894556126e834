"""What every key of a fleet file means: for `amalthea docs KEY`, and as one page."""

from __future__ import annotations

import inspect as python
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

from amalthea.fleet.declaration import FleetTable, ProviderKind, ProviderTable, ServiceTable
from amalthea.fleet.keys import Key, bare, fields, keys
from amalthea.fleet.literal import literal
from amalthea.fleet.wording import words
from amalthea.model.errors import UsageError
from amalthea.model.fleet import EdgeDeclaration, Person
from amalthea.model.service import Service

LONGEST = 100
NEAR = 5
CHOSEN = ("people", "providers")
"""The tables whose second part is a name that people choose."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One table, or the part of one that a kind of provider or a service adds to it."""

    path: str
    title: str
    text: str
    keys: tuple[Key, ...]
    see: str = ""


def sections(services: Mapping[str, Service[Any]], kinds: Mapping[str, ProviderKind]) -> list[Section]:
    """Every table, in the order in which people write them."""
    return [
        _section("fleet", "[fleet]", FleetTable),
        _section("people", "[people.NAME]", Person),
        _section("providers", "[providers.NAME]", ProviderTable),
        *(_kind(kind) for kind in kinds.values()),
        _section("edge", "[edge]", EdgeDeclaration),
        _section("services", "[services.NAME]", ServiceTable),
        *(_service(service) for service in services.values()),
    ]


def reference(key_path: str, services: Mapping[str, Service[Any]], kinds: Mapping[str, ProviderKind]) -> str:
    """What a key or a table means, as Markdown; everything, for no key. Raises `UsageError` for one that is none."""
    known = sections(services, kinds)
    if not key_path:
        return page(services, kinds)
    texts = _texts(known)
    for path in _spellings(key_path):
        if path in texts:
            return texts[path]
    near = get_close_matches(key_path, texts, n=NEAR, cutoff=0.5)
    hint = f"Near it: {', '.join(near)}" if near else f"Tables: {', '.join(section.path for section in known)}"
    raise UsageError("there is no such key", where=key_path, hint=hint)


def page(services: Mapping[str, Service[Any]], kinds: Mapping[str, ProviderKind]) -> str:
    """The whole reference as one page of Markdown."""
    head = (
        "# The fleet file\n\nEvery table and key of `fleet.toml`. Durations and sizes are a number and a unit in "
        'quotes, such as `"15 min"` or `"512 MiB"`. `amalthea fleet schema` prints the same as a JSON schema.'
    )
    return "\n\n".join([head, *(_whole(section) for section in sections(services, kinds))])


def _texts(known: Sequence[Section]) -> dict[str, str]:
    """What can be asked for. A service's table also answers for the keys that every service has."""
    texts = {section.path: _whole(section) for section in known}
    common = {section.path: dict(flat(section.keys)) for section in known}
    for section in known:
        for name, key in {**common.get(section.see, {}), **common[section.path]}.items():
            texts[f"{section.path}.{name}"] = _entry(f"{section.path}.{name}", key)
    return texts


def _spellings(key_path: str) -> Iterator[str]:
    """`providers.north.store` is described as `providers.store`, and an index says nothing."""
    parts = key_path.strip(".").split(".")
    yield ".".join(parts)
    if parts[0] in CHOSEN and len(parts) > 1:
        yield ".".join([parts[0], *parts[2:]])


def flat(known: Sequence[Key], prefix: str = "") -> Iterator[tuple[str, Key]]:
    """Every key with those inside it: `account`, `account.kind`; `[]` stands for each item of a list."""
    for key in known:
        name = f"{prefix}{key.name}"
        yield name, key
        inner = bare(key.type)
        if isinstance(inner, inspect.VarTupleType | inspect.ListType):
            name, inner = f"{name}[]", bare(inner.item_type)
        if isinstance(inner, inspect.StructType):
            yield from flat(fields(inner), f"{name}.")


def _section(path: str, title: str, struct: type[Any]) -> Section:
    return Section(path=path, title=title, text=_doc(struct), keys=keys(struct))


def _kind(kind: ProviderKind) -> Section:
    return Section(
        path=f"providers.{kind.name}",
        title=f"[providers.NAME] with kind = {literal(kind.name)}",
        text=kind.summary or _doc(kind.settings),
        keys=keys(kind.settings),
        see="providers",
    )


def _service(service: Service[Any]) -> Section:
    return Section(
        path=f"services.{service.name}",
        title=f"[services.{service.name}]",
        text=service.summary,
        keys=keys(service.settings),
        see="services",
    )


def _whole(section: Section) -> str:
    parts = [f"## `{section.title}`", _sentence(section.text)]
    if section.see:
        more = "These keys come on top" if section.keys else "It has no keys of its own on top"
        parts.append(f"{more} of those of `{section.see}`.")
    return "\n\n".join([*parts, *(_entry(f"{section.path}.{name}", key) for name, key in flat(section.keys))])


def _entry(name: str, key: Key) -> str:
    allowed = f"{words(key.type)[:1].upper()}{words(key.type)[1:]}."
    parts = [f"### `{name}`", f"{allowed} {_default(key)}".strip(), _sentence(key.description)]
    parts += [f"Example: `{name.rpartition('.')[2]} = {literal(example)}`" for example in key.examples]
    return "\n\n".join(part for part in parts if part)


def _default(key: Key) -> str:
    if key.required:
        return "Has to be there."
    if key.default is None or key.default == "":
        return "May be left out."
    text = literal(key.default)
    return f"Default: `{text}`." if len(text) <= LONGEST else "Has a default of its own; see `amalthea init`."


def _doc(struct: type[Any]) -> str:
    return python.cleandoc(struct.__doc__ or "")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."
