"""The JSON schema of a fleet file, for editors that complete and check TOML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import inspect

from amalthea.fleet.declaration import FleetTable, ProviderKind
from amalthea.fleet.keys import Key, alternatives, fields, keys
from amalthea.fleet.tables import NAME, TABLES, provider_keys, service_keys
from amalthea.model.fleet import HERE, EdgeDeclaration, Person
from amalthea.model.service import Service
from amalthea.model.units import ByteSize, Duration
from amalthea.model.wire import builtins

Schema = dict[str, Any]

UNITS: dict[type[Any], str] = {Duration: "ms|s|min|h|d", ByteSize: "B|KiB|MiB|GiB|TiB|kB|MB|GB|TB"}
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


def schema(services: Mapping[str, Service[Any]], kinds: Mapping[str, ProviderKind]) -> Schema:
    """JSON Schema 2020-12. Dates are strings here, as editors of TOML have it; names are not followed."""
    tables = {
        "fleet": _table(keys(FleetTable)),
        "people": _named(_table(keys(Person))),
        "providers": _named({"oneOf": [_provider(kind) for kind in kinds.values()]}) | {"minProperties": 1},
        "edge": _table(keys(EdgeDeclaration)),
        "services": _services(services),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An amalthea fleet file",
        "type": "object",
        "properties": {name: tables[name] for name in TABLES},
        "required": ["fleet", "providers", "services"],
        "additionalProperties": False,
    }


def _provider(kind: ProviderKind) -> Schema:
    table = _table(provider_keys(kind))
    table["properties"]["kind"] = {**table["properties"]["kind"], "const": kind.name}
    if not kind.local_store:
        table["required"] = [*table["required"], "store"]
    return table


def _services(services: Mapping[str, Service[Any]]) -> Schema:
    tables = {name: {"description": s.summary, **_table(service_keys(s))} for name, s in services.items()}
    return {"type": "object", "properties": tables, "additionalProperties": False, "minProperties": 1}


def _named(table: Schema) -> Schema:
    """Tables under names that people choose."""
    names = {**type_schema(NAME), "not": {"const": HERE}}
    return {"type": "object", "propertyNames": names, "additionalProperties": table}


def _table(known: Sequence[Key]) -> Schema:
    return {
        "type": "object",
        "properties": {key.name: _key(key) for key in known},
        "required": [key.name for key in known if key.required],
        "additionalProperties": False,
    }


def _key(key: Key) -> Schema:
    default = {} if key.required or key.default is None else {"default": builtins(key.default)}
    return {**type_schema(key.type), **default}


def type_schema(kind: inspect.Type) -> Schema:
    """The schema of one type. Raises `TypeError` for a type that a fleet file cannot hold."""
    match kind:
        case inspect.Metadata():
            return {**type_schema(kind.type), **builtins(kind.extra_json_schema or {})}
        case inspect.UnionType():
            choices = [type_schema(choice) for choice in alternatives(kind)]
            return choices[0] if len(choices) == 1 else {"anyOf": choices}
        case inspect.StructType():
            return _table(fields(kind))
        case inspect.DictType():
            names, items = type_schema(kind.key_type), type_schema(kind.value_type)
            return {"type": "object", "propertyNames": names, "additionalProperties": items}
        case inspect.VarTupleType() | inspect.ListType() | inspect.SetType() | inspect.FrozenSetType():
            bounds = {"minItems": kind.min_length, "maxItems": kind.max_length}
            return {"type": "array", "items": type_schema(kind.item_type), **_given(bounds)}
        case _:
            return _leaf(kind)


def _leaf(kind: inspect.Type) -> Schema:
    match kind:
        case inspect.AnyType():
            return {}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType() | inspect.FloatType():
            noun = "integer" if isinstance(kind, inspect.IntType) else "number"
            return {"type": noun, **_given({word: getattr(kind, name) for name, word in _BOUNDS.items()})}
        case inspect.StrType():
            bounds = {"pattern": kind.pattern, "minLength": kind.min_length, "maxLength": kind.max_length}
            return {"type": "string", **_given(bounds)}
        case inspect.LiteralType(values=values):
            return {"enum": list(values)}
        case inspect.EnumType(cls=cls):
            return {"enum": [member.value for member in cls]}
        case inspect.CustomType(cls=cls) if cls in UNITS:
            return {"type": "string", "pattern": rf"^\s*[0-9]+(\.[0-9]+)?\s*({UNITS[cls]})\s*$"}
        case inspect.DateType() | inspect.DateTimeType() | inspect.TimeType():
            return {"type": "string", "format": _FORMATS[type(kind)]}
    raise TypeError(f"a fleet file cannot hold {kind}")


_FORMATS: dict[type[inspect.Type], str] = {
    inspect.DateType: "date",
    inspect.DateTimeType: "date-time",
    inspect.TimeType: "time",
}


def _given(bounds: Mapping[str, Any]) -> Schema:
    return {word: bound for word, bound in bounds.items() if bound is not None}
