from __future__ import annotations

import time
from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import NotANotebook
from amalthea.services.nbviewer.render.diff import Difference, diff
from amalthea.services.nbviewer.render.matching import Item, matched
from tests.services.nbviewer.render.making import code, display, markdown, notebook, stream

PNG = "iVBORw0KGgo="


def compared(old: list[Any], new: list[Any], **metadata: Any) -> Difference:
    return diff(notebook(*new, **metadata), notebook(*old))


def counts(made: Difference) -> tuple[int, int, int, int]:
    return made.same, made.changed, made.added, made.removed


def items(*texts: str) -> list[Item]:
    return [Item("", text, text) for text in texts]


def test_the_same_notebook_is_one_folded_run() -> None:
    made = compared([markdown("a"), code("b")], [markdown("a"), code("b")])
    assert counts(made) == (2, 0, 0, 0)
    assert made.rendered.body.count('<details class="unchanged">') == 1
    assert "2 cells are the same" in made.rendered.body


def test_cells_are_matched_by_their_id_before_their_text() -> None:
    made = compared([code("x = 1", id="a"), code("y", id="b")], [code("all of it is other", id="a"), code("y", id="b")])
    assert counts(made) == (1, 1, 0, 0)


def test_cells_without_ids_are_matched_by_likeness() -> None:
    old = [markdown("one two three four"), code("gone = 1")]
    made = compared(old, [markdown("one two three five"), code("entirely(other, thing)")])
    assert counts(made) == (0, 1, 1, 1)


def test_changed_words_are_marked_and_escaped() -> None:
    body = compared([code("x = <b>1</b>", id="a")], [code("x = <b>2</b>", id="a")]).rendered.body
    assert "<del>1</del>" in body
    assert "<ins>2</ins>" in body
    assert "&lt;b&gt;" in body


def test_counts_of_runs_and_the_way_a_text_is_cut_are_no_change() -> None:
    old = code("x", stream(["a\n", "b\n"]), execution_count=1)
    assert counts(compared([old], [code("x", stream("a\nb\n"), execution_count=7)])) == (1, 0, 0, 0)


def test_changed_outputs_stand_side_by_side_and_same_ones_are_only_told() -> None:
    body = compared([code("x", stream("1"), id="a")], [code("x", display({"image/png": PNG}), id="a")]).rendered.body
    assert '<div class="sides">' in body
    assert "The same source" in body
    assert body.count("<img") == 1
    told = compared([code("x", stream("1"), id="a")], [code("y", stream("1"), id="a")]).rendered.body
    assert "The same outputs" in told


def test_metadata_is_noted_by_name() -> None:
    old, new = markdown("a", id="a"), markdown("a", id="a", metadata={"tags": ["<x>"], "collapsed": True})
    body = compared([old], [new], kernelspec={"name": "r"}).rendered.body
    assert "Metadata: <code>tags</code>" in body
    assert "Metadata of the notebook: <code>kernelspec</code>" in body


def test_long_stretches_of_the_same_lines_are_left_out() -> None:
    lines = [f"line {n}" for n in range(40)]
    body = compared([code("\n".join(lines), id="a")], [code("\n".join([*lines, "more"]), id="a")]).rendered.body
    assert "37 lines the same" in body
    assert "line 1<" not in body


def test_what_is_no_notebook_is_an_error_on_both_sides() -> None:
    for new, old in ((b"<", notebook()), (notebook(), b"<")):
        with pytest.raises(NotANotebook):
            diff(new, old)


KEYS = st.sampled_from(["source", "cell_type", "outputs", "id", "metadata", "data"]) | st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_cells_of_any_shape_are_compared(old: list[Any], new: list[Any]) -> None:
    made = compared(old, new)
    assert made.same + made.changed + made.added == len(new)
    assert made.same + made.changed + made.removed == len(old)
    tree = html5lib.parseFragment(made.rendered.body, namespaceHTMLElements=False)
    assert len(list(tree)) >= 1


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.lists(st.sampled_from("abcdef"), max_size=12))
def test_matching_keeps_the_order_and_loses_nothing(old: list[str], new: list[str]) -> None:
    pairs = matched(items(*old), items(*new))
    assert [a for a, _ in pairs if a is not None] == list(range(len(old)))
    assert [b for _, b in pairs if b is not None] == list(range(len(new)))


def test_a_notebook_built_to_be_slow_is_not() -> None:
    old = [code("\n".join(["a", "b"] * 200)) for _ in range(300)]
    new = [code("\n".join(["b", "a"] * 200)) for _ in range(300)]
    began = time.process_time()
    compared(old, new)
    assert time.process_time() - began < 8
