from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import NotANotebook, Options, render
from tests.services.nbviewer.render.making import code, display, markdown, notebook, shown, stream
from tests.services.nbviewer.render.passive import assert_passive

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
TEXTS = st.text() | st.lists(st.text(), max_size=3) | JSON
MIME = st.sampled_from(
    ["text/plain", "text/html", "text/latex", "text/markdown", "image/png", "image/svg+xml", "application/json",
     "application/javascript", "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json", "other"]
)  # fmt: skip
OUTPUTS = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "display_data", "execute_result", "error", "pyout", "pyerr", "odd"])},
    optional={
        "name": JSON, "text": TEXTS, "data": st.dictionaries(MIME, TEXTS, max_size=4) | JSON, "metadata": JSON,
        "traceback": TEXTS, "ename": JSON, "evalue": JSON, "execution_count": JSON, "png": TEXTS, "html": TEXTS,
    },
)  # fmt: skip
CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "code", "raw", "heading", "odd"]) | JSON},
    optional={
        "source": TEXTS, "input": TEXTS, "metadata": JSON, "outputs": st.lists(OUTPUTS | JSON, max_size=3) | JSON,
        "attachments": JSON, "execution_count": JSON, "level": JSON, "language": JSON, "collapsed": JSON,
    },
)  # fmt: skip
NOTEBOOKS = st.fixed_dictionaries(
    {},
    optional={
        "cells": st.lists(CELLS | JSON, max_size=4) | JSON, "worksheets": JSON, "metadata": JSON,
        "nbformat": JSON, "nbformat_minor": JSON,
    },
)  # fmt: skip


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def page_or_refusal(source: bytes) -> str:
    """The body of the page, or why there is none."""
    try:
        return render(source).body
    except NotANotebook as refused:
        return refused.message


@settings(deadline=None, max_examples=300)
@given(JSON | NOTEBOOKS)
def test_any_json_value_is_either_a_page_or_not_a_notebook(value: Any) -> None:
    body = page_or_refusal(encoded(value))
    assert body.startswith(('<div class="nb">', "This file is JSON, but no notebook"))
    body.encode()
    assert_passive(body)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b'{"cells": [', b'{"cells": [{"source": "', b'{"worksheets": ']))
def test_any_bytes_are_either_a_page_or_not_a_notebook(source: bytes, start: bytes) -> None:
    assert page_or_refusal(start + source).startswith(('<div class="nb">', "This file is"))


@given(st.binary(max_size=200))
def test_rendering_twice_gives_the_same_page(junk: bytes) -> None:
    source = notebook(markdown(f"# {junk!r} $x$"), code(repr(junk), stream(repr(junk))))
    assert render(source) == render(source)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "not JSON"),
        (b"<!doctype html><title>Sign in</title>", "not JSON"),
        (b"nothing", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b"[]", "holds a list"),
        (b"3", "holds a number"),
        (b"{}", 'neither "cells" nor "worksheets"'),
        (b'{"nbformat": "4"}', 'neither "cells" nor "worksheets"'),
        (b'{"cells": 3}', 'neither "cells" nor "worksheets"'),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason(source: bytes, said: str) -> None:
    with pytest.raises(NotANotebook) as refused:
        render(source)
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        (b" <html>", "looks like a web page"),
        (b"", "The file is empty"),
        (b'{"cells": [\n<<<<<<< HEAD\n]}', "unfinished merge"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
    ],
)
def test_the_refusal_says_what_to_do(source: bytes, advice: str) -> None:
    with pytest.raises(NotANotebook) as refused:
        render(source)
    assert advice in refused.value.hint


@pytest.mark.parametrize(
    "source",
    [
        b'\xef\xbb\xbf{"cells": [{"cell_type": "markdown", "source": "hello"}]}',
        '{"cells": [{"cell_type": "markdown", "source": "hello"}]}'.encode("utf-16"),
        b'{"cells": [{"cell_type": "markdown", "source": "hello"}], "x": NaN, "y": [Infinity, -Infinity]}',
        b'{"cells": [{"cell_type": "markdown", "source": "hello \\ud800"}]}',
        b'{"cells": [{"cell_type": "markdown", "source": "hello \xff"}]}',
        b'{"cells": [{"cell_type": "markdown", "source": "hello"}], "x": 1e999}',
        b'{"cells": [{"cell_type": "markdown", "source": "hello"}], "x": ' + b"9" * 10_000 + b"}",
    ],
    ids=["BOM", "UTF-16", "NaN", "lone surrogate", "not UTF-8", "infinite", "10,000 digits"],
)
def test_what_python_programs_write_for_json_is_read(source: bytes) -> None:
    page = render(source)
    assert "hello" in page.body
    page.body.encode()


def test_a_bad_cell_costs_itself_alone() -> None:
    page = shown(markdown("before"), 7, None, ["a list"], {"cell_type": "future"}, markdown("after"))
    assert "before" in page.body
    assert "after" in page.body
    assert page.body.count("could not be shown") == 3
    assert page.problems[0] == "Cell 2: the whole cell could not be shown: it is a number, not an object"


def test_a_bad_output_costs_itself_alone() -> None:
    body = shown(code("x", stream("before\n"), 7, display({"image/png": "?"}), stream("after\n"))).body
    assert "before" in body
    assert "after" in body
    assert "not known here (a number)" in body


def test_format_3_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Old", " title"]},
        {"cell_type": "code", "input": ["print(1)"], "prompt_number": 4, "language": "python", "collapsed": False,
         "outputs": [
             {"output_type": "stream", "stream": "stderr", "text": "careful"},
             {"output_type": "pyout", "prompt_number": 4, "text": ["four"], "html": "<b>vier</b>"},
             {"output_type": "display_data", "png": "aGk=", "metadata": {}},
             {"output_type": "pyerr", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m"]},
         ]},
    ]  # fmt: skip
    page = render(encoded({"worksheets": [{"cells": cells}], "metadata": {"name": "Old"}, "nbformat": 3}))
    assert (page.title, page.language, page.nbformat, page.cells) == ("Old", "python", "3", 2)
    assert page.headings[0].text == "Old title"
    assert page.headings[0].level == 2
    for part in ("print", "[4]", "careful", "<b>vier</b>", "data:image/png;base64,aGk=", '<span class="a-f1">E</span>'):
        assert part in page.body


def test_the_frame_is_told() -> None:
    kernel = {"display_name": "Julia 1.11", "language": "julia", "name": "julia-1.11"}
    page = shown(markdown("# First\n## Second"), kernelspec=kernel)
    assert (page.title, page.language, page.kernel, page.nbformat) == ("First", "julia", "Julia 1.11", "4.5")
    assert [(h.level, h.id, h.text) for h in page.headings] == [(1, "nb-First", "First"), (2, "nb-Second", "Second")]


@pytest.mark.parametrize("wrong", [None, 3, "text", [], {"tags": 3}, {"jupyter": []}, {"widgets": {}}])
def test_metadata_of_the_wrong_shape_is_ignored(wrong: Any) -> None:
    body = json.dumps({"cells": [{**markdown("hello"), "metadata": wrong}], "metadata": wrong}).encode()
    assert "hello" in render(body).body


def test_an_empty_notebook_says_so() -> None:
    assert "This notebook is empty." in shown().body


def test_what_is_too_much_is_cut_and_told() -> None:
    limits = Options().limits.__class__(cells=2, outputs=2, source=5, text=5, problems=4)
    cells = [code("abcdefgh", *(display({"text/plain": "long text"}) for _ in range(4))) for _ in range(3)]
    page = shown(*cells, options=Options(limits=limits))
    assert "Only the first 2 of 3 cells are shown." in page.body
    assert "Only the first 2 outputs of this cell are shown." in page.body
    assert "The first 5 of 9 characters." in page.body
    assert "abcdef" not in page.body
    assert len(page.problems) == 4


def test_a_file_that_only_names_its_format_is_a_notebook_without_cells() -> None:
    page = render(b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}}')
    assert page.cells == 0
    assert "This notebook is empty." in page.body
