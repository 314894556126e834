from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from amalthea.fleet.lines import Lines
from amalthea.fleet.literal import literal

TEXT = '''\
# a comment with [brackets] = "and quotes
top = 1
"quoted key" = "a # no comment" # a comment
dotted.inner.key = """
[not.a.table]
"quotes\\""" inside"""
literal = \'\'\'
x = 1 \'\'\'

[table]
a = [
  "one", # comment, with comma
  { x = 1, y = { z = 2.5 } },
  [ 3,
    4 ],
]
when = 1979-05-27 07:32:00

[[many]]
b = 1
[[many]]
b = 2
["strange.name".'other']
c = true
'''


def test_every_key_of_a_text_has_its_line() -> None:
    tomllib.loads(TEXT)
    lines = Lines(TEXT)
    expected: dict[tuple[str | int, ...], int] = {
        ("top",): 2,
        ("quoted key",): 3,
        ("dotted",): 4,
        ("dotted", "inner", "key"): 4,
        ("literal",): 7,
        ("table",): 10,
        ("table", "a"): 11,
        ("table", "a", 0): 12,
        ("table", "a", 1): 13,
        ("table", "a", 1, "y", "z"): 13,
        ("table", "a", 2, 0): 14,
        ("table", "a", 2, 1): 15,
        ("table", "when"): 17,
        ("many", 0, "b"): 20,
        ("many", 1, "b"): 22,
        ("strange.name", "other", "c"): 24,
    }
    assert {path: lines.find(path) for path in expected} == expected


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it() -> None:
    lines = Lines(TEXT)
    assert lines.find(("table", "missing", "deep")) == 10
    assert lines.find(("missing",)) == 0
    assert lines.find(()) == 0


@given(st.text())
def test_any_text_comes_to_an_end(text: str) -> None:
    Lines(text)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(st.dictionaries(NAMES, st.text(st.sampled_from("a\"'\\#[]{}=,.\n"), max_size=8), max_size=6))
def test_keys_stand_on_the_lines_that_they_were_written_on(table: dict[str, str]) -> None:
    text = "".join(f"{literal(name)} = {literal(value)}\n" for name, value in table.items())
    lines = Lines(text)
    assert [lines.find((name,)) for name in table] == list(range(1, len(table) + 1))
