"""From the text of a fleet file to a `Fleet`, or to every mistake in it at once.

Three steps: `tomllib` reads, `tables` and `crosschecks` collect mistakes, msgspec converts what has none. No
input makes anything but a `Fleet` or a `FleetFileError`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from amalthea.fleet.crosschecks import cross_check
from amalthea.fleet.declaration import FleetTable, ProviderKind, ProviderTable, ServiceTable
from amalthea.fleet.errors import FleetFileError
from amalthea.fleet.keys import keys
from amalthea.fleet.lines import Lines
from amalthea.fleet.problem import KeyPath, Problem
from amalthea.fleet.tables import check_tables
from amalthea.model.errors import UsageError
from amalthea.model.fleet import EdgeDeclaration, Fleet, Person, ProviderDeclaration, ServiceDeclaration
from amalthea.model.service import Service
from amalthea.model.wire import convert

T = TypeVar("T")
Services = Mapping[str, Service[Any]]
Kinds = Mapping[str, ProviderKind]

_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def load(path: Path, *, services: Services, kinds: Kinds) -> Fleet:
    """The fleet that a file declares. Raises `FleetFileError`, or `UsageError` if there is no such file."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise UsageError("there is no such file", where=str(path), hint="`amalthea init` writes one.") from None
    except OSError as error:
        raise UsageError(error.strerror or str(error), where=str(path)) from error
    except UnicodeDecodeError as error:
        problem = Problem(path=(), found=f"a byte that is not UTF-8 at {error.start}", allowed="text in UTF-8")
        raise FleetFileError(str(path), [problem]) from None
    return loads(text, str(path), services=services, kinds=kinds)


def loads(text: str, name: str, *, services: Services, kinds: Kinds) -> Fleet:
    """The fleet that a text declares; `name` is what messages call it. Raises `FleetFileError`."""
    data, lines = _read(text, name)
    single = [name for name, service in services.items() if not service.copies]
    problems = [
        *check_tables(data, services=services, kinds=kinds),
        *cross_check(data, kinds=kinds, single=single),
    ]
    if not problems:
        return _Conversion(data, name=name, lines=lines).fleet(services, kinds)
    placed = [msgspec.structs.replace(problem, line=lines.find(problem.path)) for problem in problems]
    raise FleetFileError(name, sorted(placed, key=lambda problem: problem.line))


def _read(text: str, name: str) -> tuple[dict[str, Any], Lines]:
    try:
        # tomllib reads \r\n as \n, so no line is counted twice here either.
        return tomllib.loads(text), Lines(text)
    except RecursionError:
        problem = Problem(path=(), found="lists or tables nested too deeply", allowed="a few levels")
    except ValueError as error:
        problem = _syntax_problem(str(error))
    raise FleetFileError(name, [problem])


def _syntax_problem(message: str) -> Problem:
    place = _PLACE.fullmatch(message)
    if place is None:
        return Problem(path=(), found=f"no TOML: {message}")
    return Problem(path=(), found=f"no TOML: {place[1]}, in column {place[3]}", line=int(place[2]))


class _Conversion:
    """Checked tables into structs. What only the structs themselves can refuse is reported here."""

    def __init__(self, data: Mapping[str, Any], *, name: str, lines: Lines) -> None:
        self._data = data
        self._name = name
        self._lines = lines

    def fleet(self, services: Services, kinds: Kinds) -> Fleet:
        head = self._convert(self._data["fleet"], FleetTable, ("fleet",))
        people = self._data.get("people", {})
        return Fleet(
            name=head.name,
            domain=head.domain,
            blast_radius=head.blast_radius,
            people={name: self._convert(table, Person, ("people", name)) for name, table in people.items()},
            providers={name: self._provider(name, kinds) for name in self._data["providers"]},
            edge=self._convert(self._data.get("edge", {}), EdgeDeclaration, ("edge",)),
            services={name: self._service(name, services[name]) for name in self._data["services"]},
        )

    def _provider(self, name: str, kinds: Kinds) -> ProviderDeclaration:
        path = ("providers", name)
        table = self._data["providers"][name]
        common, own = self._halves(table, ProviderTable, kinds[table["kind"]].settings, path=path)
        return ProviderDeclaration(
            kind=common.kind,
            store=common.store,
            address=common.address,
            listen=common.listen,
            account=common.account,
            settings=own,
        )

    def _service(self, name: str, service: Service[Any]) -> ServiceDeclaration:
        path = ("services", name)
        common, own = self._halves(self._data["services"][name], ServiceTable, service.settings, path=path)
        on = common.on if common.on is not None else tuple(self._data["providers"])
        return ServiceDeclaration(on=on, replicas=common.replicas, settings=own)

    def _halves(self, table: Mapping[str, Any], common: type[T], own: type[Any], *, path: KeyPath) -> tuple[T, Any]:
        """The keys that every such table has, and those of its own settings."""
        shared = {key.name for key in keys(common)}
        mine = {key: value for key, value in table.items() if key in shared}
        rest = {key: value for key, value in table.items() if key not in shared}
        return self._convert(mine, common, path), self._convert(rest, own, path)

    def _convert(self, table: Mapping[str, Any], kind: type[T], path: KeyPath) -> T:
        try:
            return convert(table, kind)
        except (msgspec.ValidationError, RecursionError) as error:
            problem = Problem(path=path, found=f"values that do not go together: {error}", line=self._lines.find(path))
            raise FleetFileError(self._name, [problem]) from None
