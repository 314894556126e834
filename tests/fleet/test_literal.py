from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amalthea.fleet.literal import literal, shown
from amalthea.model.fleet import Account

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.dates()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=10
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert tomllib.loads(f"a = {literal(value)}") == {"a": value}


def test_a_struct_is_an_inline_table_without_what_is_not_there() -> None:
    assert literal(Account(owners=("ada",))) == '{ kind = "own", owners = ["ada"], billing = [] }'


@given(VALUES)
def test_what_is_shown_in_a_message_is_one_short_printable_line(value: Any) -> None:
    assert len(shown(value)) <= 60
    assert shown(value).isprintable()


def test_tables_and_lists_are_named_not_shown() -> None:
    assert shown({"a": 1}) == "a table"
    assert shown([1]) == "a list"
    assert shown(date(2026, 1, 2)) == "2026-01-02"
