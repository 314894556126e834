"""Types in words, for messages and for the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import inspect

from amalthea.fleet.keys import NAMED_PATTERNS, alternatives
from amalthea.fleet.literal import literal

_PLAIN: dict[type[inspect.Type], str] = {
    inspect.AnyType: "anything",
    inspect.BoolType: "true or false",
    inspect.DateType: "a date without quotes, such as 2026-12-31",
    inspect.DateTimeType: "a date and time without quotes, such as 2026-12-31T12:00:00Z",
    inspect.TimeType: "a time without quotes, such as 12:30:00",
}


def words(kind: inspect.Type) -> str:
    """What a value of this type may be. Raises `TypeError` for a type that a fleet file cannot hold."""
    match kind:
        case inspect.Metadata():
            return _noted(kind)
        case inspect.UnionType():
            return " or ".join(words(choice) for choice in alternatives(kind))
        case inspect.StrType(pattern=pattern):
            return _text(pattern, examples=())
        case inspect.IntType() | inspect.FloatType():
            return _number(kind)
        case inspect.LiteralType(values=values):
            return either([literal(value) for value in values])
        case inspect.EnumType(cls=cls):
            return either([literal(member.value) for member in cls])
        case inspect.CustomType(cls=cls):
            return str(getattr(cls, "allowed", cls.__name__))
        case _:
            return _container(kind)


def either(names: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _noted(kind: inspect.Metadata) -> str:
    if isinstance(kind.type, inspect.StrType):
        return _text(kind.type.pattern, examples=(kind.extra_json_schema or {}).get("examples", ()))
    return words(kind.type)


def _text(pattern: str | None, *, examples: Sequence[Any]) -> str:
    if pattern in NAMED_PATTERNS:
        return NAMED_PATTERNS[pattern]
    if examples:
        return f"text in quotes, such as {literal(examples[0])}"
    return f"text that matches {pattern}" if pattern else "text in quotes"


def _number(kind: inspect.IntType | inspect.FloatType) -> str:
    noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    low = f"above {kind.gt:g}" if kind.gt is not None else f"{kind.ge:g}" if kind.ge is not None else ""
    high = f"below {kind.lt:g}" if kind.lt is not None else f"{kind.le:g}" if kind.le is not None else ""
    if low and high:
        return f"{noun} from {low} to {high}"
    if low:
        return f"{noun} {low if kind.gt is not None else f'of at least {low}'}"
    return f"{noun} {high if kind.lt is not None else f'of at most {high}'}" if high else noun


def _container(kind: inspect.Type) -> str:
    match kind:
        case inspect.StructType():
            return "a table"
        case inspect.DictType(value_type=inner):
            return f"a table of {words(inner)}"
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner):
            return f"a list of {words(inner)}"
        case inspect.SetType(item_type=inner) | inspect.FrozenSetType(item_type=inner):
            return f"a list of {words(inner)}"
        case _ if type(kind) in _PLAIN:
            return _PLAIN[type(kind)]
    raise TypeError(f"a fleet file cannot hold {kind}")
