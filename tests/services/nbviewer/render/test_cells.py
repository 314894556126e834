from __future__ import annotations

from typing import Any

import pytest

from tests.services.nbviewer.render.making import code, markdown, shown, stream

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
