"""Whatever a fleet file holds, it becomes a fleet or a list of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amalthea.fleet.errors import FleetFileError
from amalthea.fleet.literal import literal
from amalthea.fleet.loading import load, loads
from amalthea.model.errors import ExitCode, UsageError
from amalthea.model.fleet import Fleet
from tests.fleet.imagined import KINDS, SERVICES

TABLES = ["fleet", "people", "providers", "edge", "services", "north", "here", "ada", "reader", "board"]
KEYS = ["name", "domain", "blast_radius", "kind", "store", "address", "listen", "account", "owners", "on", "home"]
MORE = ["scheme", "port", "replicas", "hosts", "cache", "timeout", "mirrors", "host", "headers", "extra", "context"]
WORDS = st.sampled_from([*TABLES, *KEYS, *MORE])
GOOD = ["machine", "cloud", "here", "north", "localhost", "127.0.0.1:8000", "5 s", "1 GiB", "s3://x", "http"]
BAD = ["0.0.0.0:0", "file:", "file://[", "a\n", "9" * 400 + " h", "9" * 400 + " TiB"]
VALUES = st.sampled_from([*GOOD, *BAD])
SCALARS = (
    WORDS | VALUES | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes() | st.text(max_size=9)
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=20
)
PROVIDERS = st.dictionaries(WORDS, st.dictionaries(WORDS, TREES, max_size=4) | TREES, max_size=3)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "fleet": st.just({"name": "a", "domain": "localhost"}) | TREES,
        "people": TREES,
        "providers": PROVIDERS | st.just({"north": {"kind": "machine"}}) | TREES,
        "edge": st.dictionaries(WORDS, TREES, max_size=4) | TREES,
        "services": st.dictionaries(WORDS, st.dictionaries(WORDS, TREES, max_size=3), max_size=3) | TREES,
        "more": TREES,
    },
)


def outcome(text: str) -> Fleet | FleetFileError:
    try:
        return loads(text, "fleet.toml", services=SERVICES, kinds=KINDS)
    except FleetFileError as error:
        return error


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(FILES)
def test_any_values_give_a_fleet_or_mistakes(data: dict[str, Any]) -> None:
    found = outcome("".join(f"{name} = {literal(value)}\n" for name, value in data.items()))
    if isinstance(found, FleetFileError):
        assert found.problems
        assert found.exit_code is ExitCode.USAGE


@given(st.text())
def test_any_text_gives_a_fleet_or_mistakes(text: str) -> None:
    outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{a=" * 5000 + "1" + "}" * 5000,
        "a = " + "9" * 5000,
        "[fleet]\nname = \"a\"\ndomain = 'localhost'\nblast_radius = nan",
    ],
)
def test_monstrous_values_are_mistakes(text: str) -> None:
    assert isinstance(outcome(text), FleetFileError)


def test_a_syntax_error_names_line_and_column() -> None:
    error = outcome("[fleet]\nname =\n")
    assert isinstance(error, FleetFileError)
    assert str(error).splitlines()[1] == "  fleet.toml:2: found no TOML: Invalid value, in column 7"


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="amalthea init"):
        load(tmp_path / "fleet.toml", services=SERVICES, kinds=KINDS)


def test_a_directory_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directory"):
        load(tmp_path, services=SERVICES, kinds=KINDS)


def test_bytes_that_are_not_text_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_bytes(b"[fleet]\n\xff")
    with pytest.raises(FleetFileError, match="not UTF-8 at 8"):
        load(file, services=SERVICES, kinds=KINDS)
