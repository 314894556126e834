"""The tables of a fleet file: which there are, and which keys each may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import inspect

from amalthea.fleet.checking import check, check_table, unknown_key
from amalthea.fleet.declaration import FleetTable, ProviderKind, ProviderTable, ServiceTable
from amalthea.fleet.keys import Key, keys
from amalthea.fleet.literal import shown
from amalthea.fleet.problem import KeyPath, Problem, nearest
from amalthea.fleet.wording import either
from amalthea.model.fleet import EdgeDeclaration, Name, Person
from amalthea.model.service import Service

TABLES = ("fleet", "people", "providers", "edge", "services")
"""The tables at the top, in the order in which people write them."""

NAME = inspect.type_info(Name)


def provider_keys(kind: ProviderKind | None) -> tuple[Key, ...]:
    """What a provider's table may hold; without a kind the keys that all of them have."""
    return keys(ProviderTable, kind.settings) if kind else keys(ProviderTable)


def service_keys(service: Service[Any]) -> tuple[Key, ...]:
    """What a service's table may hold."""
    return keys(ServiceTable, service.settings)


def check_tables(
    data: Mapping[str, Any], *, services: Mapping[str, Service[Any]], kinds: Mapping[str, ProviderKind]
) -> Iterator[Problem]:
    """The mistakes that can be seen in each table alone."""
    for name in data:
        if name not in TABLES:
            yield unknown_key(name, TABLES, ())
    yield from check_table(data.get("fleet", {}), keys(FleetTable), ("fleet",))
    yield from check(data.get("people", {}), inspect.type_info(dict[Name, Person]), ("people",))
    yield from _check_providers(data.get("providers", {}), kinds)
    yield from check_table(data.get("edge", {}), keys(EdgeDeclaration), ("edge",))
    yield from _check_services(data.get("services", {}), services)


def _check_providers(tables: Any, kinds: Mapping[str, ProviderKind]) -> Iterator[Problem]:
    if not isinstance(tables, dict):
        yield Problem(path=("providers",), found=shown(tables), allowed="a table")
        return
    for name, table in tables.items():
        yield from check(name, NAME, ("providers", name))
        yield from _check_provider(table, kinds, ("providers", name))


def _check_provider(table: Any, kinds: Mapping[str, ProviderKind], path: KeyPath) -> Iterator[Problem]:
    kind = table.get("kind") if isinstance(table, dict) else None
    if isinstance(kind, str) and kind in kinds:
        yield from check_table(table, provider_keys(kinds[kind]), path)
        return
    if isinstance(kind, str):
        hint = nearest(kind, kinds)
        yield Problem(path=(*path, "kind"), found=shown(kind), allowed=either([*kinds]), hint=hint)
    # Which other keys it may hold is anybody's guess, so only those that every provider has are looked at.
    common = provider_keys(None)
    if isinstance(table, dict):
        names = [key.name for key in common]
        table = {key: value for key, value in table.items() if key in names}
    yield from check_table(table, common, path)


def _check_services(tables: Any, services: Mapping[str, Service[Any]]) -> Iterator[Problem]:
    if not isinstance(tables, dict):
        yield Problem(path=("services",), found=shown(tables), allowed="a table")
        return
    for name, table in tables.items():
        path = ("services", name)
        if name in services:
            yield from check_table(table, service_keys(services[name]), path)
        else:
            hint = nearest(name, services)
            yield Problem(path=path, found="an unknown service", allowed=either([*services]), hint=hint)
