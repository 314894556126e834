from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import NotANotebook, Rendered, render
from amalthea.services.nbviewer.render.mending import DEEPEST, mend
from amalthea.services.nbviewer.render.reading import read
from tests.services.nbviewer.render.making import code, markdown, stream
from tests.services.nbviewer.render.passive import assert_passive

CELLS = [markdown(["# One\n", "text"]), code(["x = 1\n", "y"], stream("hi")), markdown("last")]
WHOLE = json.dumps({"cells": CELLS, "metadata": {"kernelspec": {"name": "ir"}}, "nbformat": 4}, indent=1)
SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


def conflict(line: str, other: str, text: str = WHOLE) -> str:
    """The text with a conflict in the place of one of its lines."""
    assert text.count(f"{line}\n") == 1
    return text.replace(f"{line}\n", f"<<<<<<< HEAD\n{line}\n=======\n{other}\n>>>>>>> branch-x\n")


def page(text: str) -> Rendered:
    made = render(text.encode())
    assert_passive(made.body)
    return made


@given(JSON)
def test_whole_json_is_mended_to_itself(value: Any) -> None:
    assert mend(json.dumps([value])).value == [value]
    assert mend(json.dumps([value], indent=1)).value == [value]


@given(st.text())
def test_mending_takes_any_text(text: str) -> None:
    for start in ("", "{", '{"a": [', "{'a':", '{"cells": ["'):
        mend(start + text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": ["x" "b": 2}', {"a": ["x"], "b": 2}),
        ('{"a": {"b": [1}, "c": 2}', {"a": {"b": [1]}, "c": 2}),
        ("{'a': 'it\\'s \"x\"', b: True}", {"a": 'it\'s "x"', "b": True}),
        ('{"a": 1} // end', {"a": 1}),
        ('{"a": 1, # one\n "b": None}', {"a": 1, "b": None}),
        ('{"a": "\\d\\u00e9\\u12"}', {"a": "\\dé\\u12"}),
        ('{"a": "no quote,\n"b": "c"}', {"a": "no quote", "b": "c"}),
        ('["a", nonsense, 1e3, -2]', ["a", 1000.0, -2]),
    ],
)
def test_what_hands_and_merges_do_to_json_is_undone(text: str, value: Any) -> None:
    assert mend(text).value == value


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_breaks_off_shows_what_it_has(length: int) -> None:
    try:
        made = page(WHOLE[:length])
    except NotANotebook:
        assert WHOLE[:length].count("{") < 2
        return
    assert made.body.endswith('<p class="note">The file breaks off here.</p></div>\n')
    assert "the file breaks off before its end; what is whole is shown" in made.problems
    assert made.cells == WHOLE[:length].count('"cell_type"') or not WHOLE[:length].rstrip().endswith("}")


def test_text_that_is_cut_is_kept_and_data_is_not() -> None:
    assert mend('{"a": "some words').value == {"a": "some words"}
    assert mend('{"a": "' + "A" * 500).value == {}


def test_both_sides_of_a_conflict_are_shown_where_it_is() -> None:
    made = page(conflict('    "# One\\n",', '    "# Uno\\n",'))
    notes = ("A merge conflict: here is HEAD.", "A merge conflict: here is branch-x.", "The conflict ends here.")
    order = [made.body.index(part) for part in (notes[0], ">One<", notes[1], ">Uno<", notes[2], "last")]
    assert order == sorted(order)
    assert made.problems == ("the file holds an unfinished merge of HEAD and branch-x, in 1 place of the text",)
    assert made.cells == 4


def test_a_file_with_a_conflict_may_break_off_too() -> None:
    made = page(conflict('    "# One\\n",', '    "# Uno\\n",')[:-30])
    assert "The file breaks off here." in made.body
    assert len(made.problems) == 2


def test_conflicts_in_one_cell_are_one() -> None:
    text = conflict('   "execution_count": 1,', '   "execution_count": 77,')
    made = page(conflict('    "x = 1\\n",', '    "x = 2\\n",', text))
    assert made.body.count("here is HEAD") == 1
    assert "[77]" in made.body
    assert made.body.count(">last<") == 1


def test_a_conflict_with_the_common_ancestor_is_understood() -> None:
    text = conflict('    "# One\\n",', '    "# Uno\\n",').replace("=======", '||||||| base\n    "# Old\\n",\n=======')
    made = page(text)
    assert "Uno" in made.body
    assert "Old" not in made.body


def test_cells_that_one_side_removed_are_shown_once() -> None:
    cell = '  {\n   "cell_type": "markdown",\n   "metadata": {},\n   "source": "new"\n  },\n'
    start = WHOLE.index("  {\n")
    made = page(f"{WHOLE[:start]}<<<<<<< HEAD\n=======\n{cell}>>>>>>> x\n{WHOLE[start:]}")
    assert "here is HEAD, which has nothing here. A merge conflict: here is x." in made.body
    assert made.cells == 4


def test_a_conflict_in_the_metadata_alone_costs_no_cell() -> None:
    made = page(conflict('   "name": "ir"', '   "name": "julia"'))
    assert (made.cells, made.language) == (3, "ir")
    assert made.problems[0].endswith("in its metadata alone")


def test_several_notebooks_in_one_file_are_shown_one_after_the_other() -> None:
    made = page(WHOLE + WHOLE)
    assert made.cells == 6
    assert "Here notebook number 2 of this file begins." in made.body


@pytest.mark.parametrize("more", ["}", "\n]]", " and so on", "\x00\x00", "{}"])
def test_what_follows_the_notebook_is_left_out(more: str) -> None:
    made = page(WHOLE + more)
    assert made.cells == 3
    assert "what follows the end of the notebook is left out" in made.problems[0]


def test_bytes_that_are_no_utf_8_are_read_as_latin_1() -> None:
    made = render(WHOLE.replace("last", "caf\xe9 \N{EURO SIGN} done").encode("cp1252"))
    assert "café € done" in made.body
    assert made.problems == ("the file is not UTF-8 in 2 places; what stands there was read as Latin-1",)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_wide_characters_are_read_with_or_without_a_mark(encoding: str) -> None:
    assert read(WHOLE.encode(encoding)) == json.loads(WHOLE)


def test_depth_is_cut_and_told() -> None:
    deep = '{"cells": [{"cell_type": "markdown", "source": "x", "metadata": ' + "[" * 100_000 + "]" * 100_000 + "}]}"
    made = page(deep)
    assert made.problems == (f"what is nested deeper than {DEEPEST} levels is left out",)


@pytest.mark.parametrize(
    "piece",
    [
        '"',
        "'\\",
        "{",
        "[",
        '"a":',
        "\\",
        '"\\\n',
        "<<<<<<< a\n",
        "<<<<<<< a\n=======\n",
        ">>>>>>> a\n",
        "//",
        "}",
        ",",
        "\n",
        " ",
        ", \t",
    ],
)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    source = ('{"cells": [{}, ' + piece * (200_000 // len(piece))).encode()
    started = time.process_time()
    with suppress(NotANotebook):
        render(source)
    assert time.process_time() - started < 3
