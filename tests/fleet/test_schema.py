from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import msgspec
import pytest

from amalthea.fleet.schema import UNITS, schema
from amalthea.fleet.template import laptop
from tests.fleet.imagined import KINDS, SERVICES, SMALL
from tests.fleet.test_loading import MISTAKES
from tests.fleet.test_template import uncommented

jsonschema = pytest.importorskip("jsonschema")


def mistakes(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema(SERVICES, KINDS))
    return [error.message for error in validator.iter_errors(_as_editors_see(tomllib.loads(text)))]


def _as_editors_see(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_editors_see(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_editors_see(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def test_it_is_a_schema_that_json_can_hold() -> None:
    text = msgspec.json.encode(schema(SERVICES, KINDS))
    jsonschema.Draft202012Validator.check_schema(msgspec.json.decode(text))


@pytest.mark.parametrize("text", [SMALL, laptop(SERVICES, KINDS), uncommented(laptop(SERVICES, KINDS))])
def test_what_loads_is_valid(text: str) -> None:
    assert mistakes(text) == []


def test_a_wrong_file_is_not_valid() -> None:
    assert len(mistakes(MISTAKES)) > 5


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[services.reader]", '[services.reader]\ncache = "5 parsec"'),
        ("[services.reader]", "[services.reader]\ncache = 5"),
        ("[services.reader]", "[services.reader]\nratio = 1"),
        ('kind = "machine"', 'kind = "cloud"'),
        ('name = "small"', 'name = "Small"'),
        ("providers.north", "providers.here"),
    ],
)
def test_one_mistake_makes_a_file_invalid(before: str, after: str) -> None:
    assert mistakes(SMALL.replace(before, after, 1))


def test_the_units_are_those_that_amounts_are_written_in() -> None:
    for amount, units in UNITS.items():
        assert f"({units.replace('|', ', ')})" in amount.allowed
