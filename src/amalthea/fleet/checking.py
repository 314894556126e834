"""Every mistake in a table at once.

msgspec stops at the first value that does not fit. People want to see all of them, with the key that was
probably meant, so this walks the decoded TOML and the struct's types side by side. What passes here is then
converted by msgspec, which stays the judge of what a value becomes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from msgspec import inspect

from amalthea.fleet.keys import Key, alternatives, bare, fields
from amalthea.fleet.literal import shown
from amalthea.fleet.problem import KeyPath, Problem, nearest
from amalthea.fleet.wording import words
from amalthea.model.wire import decode_amount


def check_table(value: Any, known: Sequence[Key], path: KeyPath) -> Iterator[Problem]:
    """The mistakes in a table that may hold the `known` keys and no others."""
    if not isinstance(value, dict):
        yield Problem(path=path, found=shown(value), allowed="a table")
        return
    names = [key.name for key in known]
    for name in value:
        if name not in names:
            yield unknown_key(name, names, path)
    for key in known:
        if key.name in value:
            yield from check(value[key.name], key.type, (*path, key.name))
        elif key.required:
            yield Problem(path=(*path, key.name), found="nothing", allowed=words(key.type))


def unknown_key(name: str, names: Sequence[str], path: KeyPath) -> Problem:
    """The mistake of a key that does not exist, with the one that was probably meant."""
    hint = nearest(name, names)
    return Problem(path=(*path, name), found="an unknown key", allowed=", ".join(names), hint=hint)


def check(value: Any, kind: inspect.Type, path: KeyPath) -> Iterator[Problem]:
    """The mistakes in one value."""
    match bare(kind):
        case inspect.StructType() as struct:
            yield from check_table(value, fields(struct), path)
        case inspect.DictType() as table if isinstance(value, dict):
            for name, item in value.items():
                yield from check(name, table.key_type, (*path, name))
                yield from check(item, table.value_type, (*path, name))
        case inspect.VarTupleType() | inspect.ListType() | inspect.SetType() | inspect.FrozenSetType() as items if (
            isinstance(value, list)
        ):
            yield from _check_items(value, items, path)
        case inspect.UnionType() as union:
            yield from _check_union(value, union, path)
        case leaf if not _fits(value, leaf):
            yield Problem(path=path, found=shown(value), allowed=words(kind))


def _check_items(
    value: list[Any],
    kind: inspect.VarTupleType | inspect.ListType | inspect.SetType | inspect.FrozenSetType,
    path: KeyPath,
) -> Iterator[Problem]:
    for index, item in enumerate(value):
        yield from check(item, kind.item_type, (*path, index))
    if kind.min_length and len(value) < kind.min_length:
        yield Problem(path=path, found=f"{len(value)} items", allowed=f"{kind.min_length} items or more")
    if kind.max_length is not None and len(value) > kind.max_length:
        yield Problem(path=path, found=f"{len(value)} items", allowed=f"{kind.max_length} items or fewer")


def _check_union(value: Any, union: inspect.UnionType, path: KeyPath) -> Iterator[Problem]:
    """Silent if one choice fits; what is wrong inside the only choice of the right shape; else all choices."""
    found = [(choice, list(check(value, choice, path))) for choice in alternatives(union)]
    if any(not problems for _, problems in found):
        return
    inside = [problems for _, problems in found if all(problem.path != path for problem in problems)]
    if len(inside) == 1:
        yield from inside[0]
    else:
        yield Problem(path=path, found=shown(value), allowed=words(union))


def _fits(value: Any, kind: inspect.Type) -> bool:
    match kind:
        case inspect.AnyType():
            return True
        case inspect.StrType():
            return isinstance(value, str) and _text_fits(value, kind)
        case inspect.IntType() | inspect.FloatType():
            return _number_fits(value, kind)
        case inspect.LiteralType(values=values):
            return any(value == choice and type(value) is type(choice) for choice in values)
        case inspect.EnumType(cls=cls):
            return any(value == member.value and not isinstance(value, bool) for member in cls)
        case inspect.CustomType(cls=cls):
            return _amount_fits(value, cls)
        case _:
            return type(value) is _EXACT.get(type(kind))


_EXACT: dict[type[inspect.Type], type[Any]] = {
    inspect.BoolType: bool,
    inspect.DateType: date,
    inspect.DateTimeType: datetime,
    inspect.TimeType: time,
}


def _text_fits(value: str, kind: inspect.StrType) -> bool:
    if len(value) < (kind.min_length or 0) or (kind.max_length is not None and len(value) > kind.max_length):
        return False
    if kind.pattern is None:
        return True
    # `$` also matches in front of a newline at the end, and a name must not end in one.
    pattern = kind.pattern[:-1] + r"\Z" if kind.pattern.endswith("$") else kind.pattern
    return re.search(pattern, value) is not None


def _number_fits(value: Any, kind: inspect.IntType | inspect.FloatType) -> bool:
    allowed = int if isinstance(kind, inspect.IntType) else int | float
    if isinstance(value, bool) or not isinstance(value, allowed) or not _finite(value):
        return False
    return (
        (kind.gt is None or value > kind.gt)
        and (kind.ge is None or value >= kind.ge)
        and (kind.lt is None or value < kind.lt)
        and (kind.le is None or value <= kind.le)
    )


def _amount_fits(value: Any, cls: type[Any]) -> bool:
    try:
        return _finite(decode_amount(cls, value))
    except (ValueError, OverflowError):
        return False


def _finite(number: Any) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
