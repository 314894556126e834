"""The keys of a table, read from the struct that describes it.

The struct is the one source: checking, the JSON schema, the reference and the template all ask here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from msgspec import inspect

from amalthea.fleet.declaration import Domain
from amalthea.model.fleet import Address, Name

NAMED_PATTERNS: dict[str, str] = {
    meta.pattern: meta.description for kind in (Name, Address, Domain) for meta in get_args(kind)[1:]
}
"""Patterns that have a description in words of their own."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a table. `default` is None where there is none, and where none is the default."""

    name: str
    type: inspect.Type
    required: bool
    default: Any = None
    description: str = ""
    examples: tuple[Any, ...] = ()


def keys(*structs: type[Any]) -> tuple[Key, ...]:
    """The keys of a table that several structs describe together, in their order."""
    found: list[Key] = []
    for struct in structs:
        kind = inspect.type_info(struct)
        if not isinstance(kind, inspect.StructType):
            raise TypeError(f"{struct.__name__} describes a table, so it has to be a msgspec.Struct")
        found.extend(fields(kind))
    return tuple(found)


def fields(struct: inspect.StructType) -> tuple[Key, ...]:
    """The keys of the table that one struct describes."""
    return tuple(_key(field) for field in struct.fields)


def bare(kind: inspect.Type) -> inspect.Type:
    """The type without its notes, and without the None that only says that a key may be left out."""
    if isinstance(kind, inspect.Metadata):
        return bare(kind.type)
    if isinstance(kind, inspect.UnionType) and len(choices := alternatives(kind)) == 1:
        return bare(choices[0])
    return kind


def alternatives(union: inspect.UnionType) -> Sequence[inspect.Type]:
    """What a union allows, without None: TOML has no word for it."""
    return [kind for kind in union.types if not isinstance(kind, inspect.NoneType)]


def _key(field: inspect.Field) -> Key:
    notes = (field.type.extra_json_schema or {}) if isinstance(field.type, inspect.Metadata) else {}
    return Key(
        name=field.encode_name,
        type=field.type,
        required=field.required,
        default=_default(field),
        description=notes.get("description", ""),
        examples=tuple(notes.get("examples", ())),
    )


def _default(field: inspect.Field) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.default is msgspec.NODEFAULT else field.default
