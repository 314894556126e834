from __future__ import annotations

from typing import Any

import pytest

from amalthea.services.nbviewer.render import Options, formats
from tests.services.nbviewer.render.making import code, markdown, shown, stream
from tests.services.nbviewer.render.passive import assert_passive

SECRET = "secret"


def cell(metadata: dict[str, Any], **more: Any) -> str:
    return shown(code(SECRET, stream("printed"), metadata=metadata, **more)).body


@pytest.mark.parametrize(
    "metadata",
    [{"tags": ["hide-input"]}, {"tags": ["hide_input"]}, {"jupyter": {"source_hidden": True}}, {"hide_input": True}],
)
def test_hidden_code_can_be_opened(metadata: dict[str, Any]) -> None:
    body = cell(metadata)
    assert f'<details class="fold"><summary>Code hidden</summary><pre class="source"><code>{SECRET}' in body
    assert "Output hidden" not in body


@pytest.mark.parametrize(
    "metadata", [{"tags": ["hide-output"]}, {"collapsed": True}, {"jupyter": {"outputs_hidden": True}}]
)
def test_hidden_outputs_can_be_opened(metadata: dict[str, Any]) -> None:
    body = cell(metadata)
    assert '<details class="fold"><summary>Output hidden</summary>' in body
    assert "Code hidden" not in body


def test_a_hidden_cell_can_be_opened() -> None:
    body = cell({"tags": ["hide-cell"]})
    assert "Code hidden" in body
    assert "Output hidden" in body


def test_all_code_can_be_hidden_by_the_notebook() -> None:
    assert "Code hidden" in shown(code(SECRET), hide_input=True).body


@pytest.mark.parametrize(
    ("tag", "source", "printed"),
    [("remove-cell", False, False), ("remove_cell", False, False), ("remove-input", False, True),
     ("remove-output", True, False), ("remove_all_outputs", True, False), ("other", True, True)],
)  # fmt: skip
def test_removed_parts_are_not_there(tag: str, source: bool, printed: bool) -> None:
    body = cell({"tags": [tag]})
    assert (SECRET in body) == source
    assert ("printed" in body) == printed


def test_a_removed_text_is_not_there() -> None:
    assert SECRET not in shown(markdown(SECRET, metadata={"tags": ["remove-cell"]})).body


def test_a_scrolled_output_has_a_box_that_the_keyboard_reaches() -> None:
    assert '<div class="scrolled" tabindex="0" role="region"' in cell({"scrolled": True})


@pytest.mark.parametrize(
    ("count", "prompt"), [(3, "[3]"), (None, "[ ]"), ("*", "[*]"), ("<b>", "[ ]"), (-1, "[ ]"), (True, "[ ]")]
)
def test_prompts_are_numbers(count: Any, prompt: str) -> None:
    assert f'<div class="prompt">{prompt}</div>' in cell({}, execution_count=count)


def test_every_cell_is_a_section_with_a_name() -> None:
    body = shown(markdown("a"), code("b"), {"cell_type": "raw", "source": "<c>"}).body
    assert '<section class="cell markdown" id="cell-1" aria-label="Cell 1, text">' in body
    assert '<section class="cell code" id="cell-2" aria-label="Cell 2, code">' in body
    assert '<section class="cell raw" id="cell-3" aria-label="Cell 3, raw text"><pre class="rawtext">&lt;c&gt;' in body


def test_code_is_in_the_language_of_its_cell() -> None:
    body = shown(
        code("function f() end", language="julia"), code("def f(): pass"), language_info={"name": "python"}
    ).body
    assert '<span class="k">function</span>' in body
    assert '<span class="k">def</span>' in body


@pytest.mark.parametrize(
    ("metadata", "source", "printed"),
    [({"nbsphinx": "hidden"}, False, False), ({"tags": ["remove-stdout"]}, True, False),
     ({"tags": ["remove-stderr"]}, True, True)],
)  # fmt: skip
def test_other_tools_words_for_removed_are_known(metadata: dict[str, Any], source: bool, printed: bool) -> None:
    body = cell(metadata)
    assert (SECRET in body) == source
    assert ("printed" in body) == printed


@pytest.mark.parametrize(
    ("head", "source", "printed"),
    [
        ("#hide", True, True),
        ("# hide_input", True, False),
        ("#|echo: false", True, False),
        ("#| label: x\n#| output: false", False, True),
        ("#collapse-hide", True, False),
        ("#| echo: true", False, False),
        ("# hide and seek", False, False),
        ("x\n#hide", False, False),
    ],
)
def test_comments_at_the_head_of_code_hide_it(head: str, source: bool, printed: bool) -> None:
    body = shown(code(f"{head}\nx", stream("printed"))).body
    assert ("Code hidden" in body) == source
    assert ("Output hidden" in body) == printed


@pytest.mark.parametrize(
    ("source", "metadata"),
    [("#@title Draw <it>\nx", {"cellView": "form"}), ('# @title Draw <it> { display-mode: "form" }\nx', {})],
)
def test_a_form_of_colab_is_hidden_under_its_title(source: str, metadata: dict[str, Any]) -> None:
    assert "<summary>Draw &lt;it&gt; (code hidden)</summary>" in shown(code(source, metadata=metadata)).body


@pytest.mark.parametrize("metadata", [{"hideCode": True}, {"cellView": "form"}])
def test_extensions_hide_code(metadata: dict[str, Any]) -> None:
    assert "Code hidden" in cell(metadata)


@pytest.mark.parametrize(
    ("mime", "source", "part"),
    [
        ("text/html", "<b>x</b><script>y</script>", "<b>x</b>"),
        ("html", "<b>x</b>", "<b>x</b>"),
        ("text/latex", "$x$", "<math"),
        ("latex", "\\section{x}", "\\section{x}</pre>"),
        ("text/markdown", "*x*", "<em>x</em>"),
        ("text/restructuredtext", "<b>x</b>", '<pre class="rawtext">&lt;b&gt;'),
        ("text/x-python", "def f(): pass", '<span class="k">def</span>'),
        (3, "<b>", '<pre class="rawtext">&lt;b&gt;</pre>'),
    ],
)
def test_a_raw_cell_is_shown_as_what_it_says_it_is(mime: Any, source: str, part: str) -> None:
    for key in ("format", "raw_mimetype"):
        page = shown({"cell_type": "raw", "source": source, "metadata": {key: mime}})
        assert part in page.body
        assert_passive(page.body)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"cell_type": "html", "source": "<b>x</b>"}, "<b>x</b>"),
        ({"cell_type": "plaintext", "source": "<b>"}, '<pre class="rawtext">&lt;b&gt;</pre>'),
        ({"cell_type": "code", "code": "def f(): pass"}, '<span class="k">def</span>'),
        ({"cell_type": "text", "text": "*x*"}, "<em>x</em>"),
        ({"input": "def f(): pass", "prompt_number": 3}, "[3]"),
        ({"cell_type": "code", "source": "x", "outputs": [{"text": "printed"}]}, "<pre>printed</pre>"),
        ({"cell_type": "code", "source": "x", "outputs": [{"data": {"text/plain": "y"}}]}, "<pre>y</pre>"),
        ({"cell_type": "code", "source": "x", "outputs": [{"ename": "E", "evalue": "v"}]}, "E: v"),
    ],
)
def test_cells_of_old_formats_and_without_a_kind_are_shown(value: dict[str, Any], part: str) -> None:
    page = shown(value)
    assert part in page.body
    assert page.problems == ()


def test_numbered_lines_are_whole() -> None:
    page = shown(code('"""a\nb""" + f"{x}"\nc'), options=Options(line_numbers=True))
    assert (
        '<span class="line"><span class="s">"""a</span></span>\n<span class="line"><span class="s">b"""</span>'
        in page.body
    )
    assert page.body.count('class="line"') == 3
    assert_passive(page.body)


def test_the_slide_of_a_cell_is_known() -> None:
    frame = formats.notebook({"cells": []})
    for kind in ("slide", "-", 3):
        value = {"cell_type": "markdown", "metadata": {"slideshow": {"slide_type": kind}}}
        assert formats.cell(value, frame).slide == ("slide" if kind == "slide" else "")
