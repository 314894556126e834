"""Valid notebooks with parts taken out or replaced: each is a page, or a refusal, and nothing in it is alive."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import NotANotebook, render
from tests.services.nbviewer.render.passive import assert_passive

SAMPLE = json.loads(
    (Path(__file__).parents[4] / "src" / "amalthea" / "services" / "nbviewer" / "sample.ipynb").read_bytes()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
HOSTILE = st.sampled_from(["<script>x</script>", "<img src=x onerror=x>", "javascript:x", "\x00", "<" * 300, "\ud800"])
CHANGES = st.lists(st.tuples(st.integers(0, 10**6), st.none() | st.tuples(JSON | HOSTILE)), min_size=1, max_size=6)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every list or object inside, with each of its keys."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def changed(changes: list[tuple[int, tuple[Any] | None]]) -> Any:
    """The sample with some parts deleted or replaced."""
    value = copy.deepcopy(SAMPLE)
    for number, new in changes:
        found = places(value)
        if not found:
            break
        where, key = found[number % len(found)]
        if new is None:
            del where[key]
        else:
            where[key] = new[0]
    return value


@settings(deadline=None, max_examples=60)
@given(CHANGES)
def test_a_notebook_with_parts_changed_is_a_page_or_refused(changes: list[tuple[int, tuple[Any] | None]]) -> None:
    source = json.dumps(changed(changes)).encode()
    try:
        body = render(source).body
    except NotANotebook:
        return
    body.encode()
    assert_passive(body)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 60), st.binary(max_size=30))
def test_a_notebook_with_bytes_changed_is_a_page_or_refused(start: int, length: int, new: bytes) -> None:
    source = json.dumps(SAMPLE, indent=1).encode()
    start %= len(source)
    try:
        body = render(source[:start] + new + source[start + length :]).body
    except NotANotebook:
        return
    assert_passive(body)
