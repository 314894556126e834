from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import NotANotebook
from amalthea.services.nbviewer.render.script import script
from tests.services.nbviewer.render.making import code, markdown, notebook


def text(*cells: Any, language: str = "python", **metadata: Any) -> str:
    return script(notebook(*cells, language_info={"name": language}, **metadata)).text


def test_code_is_code_and_text_is_a_comment() -> None:
    made = text(markdown("# Title\n\nSome *text*."), code("x = 1\nprint(x)"))
    assert made == "# %% [markdown]\n# # Title\n#\n# Some *text*.\n\n# %%\nx = 1\nprint(x)\n"


def test_what_only_ipython_understands_is_a_comment_so_that_the_program_runs() -> None:
    made = text(
        code("%matplotlib inline\n!ls\nfiles = !ls\nx = 5 % 2\nprint?\nif a != b:\n    pass"), code("%%bash\necho hi")
    )
    for line in ("# %matplotlib inline", "# !ls", "# files = !ls", "x = 5 % 2", "# print?", "if a != b:", "# echo hi"):
        assert line in made.split("\n")
    ast.parse(made)


@pytest.mark.parametrize(
    ("language", "comment", "extension"),
    [("python", "# hi", ".py"), ("r", "# hi", ".r"), ("julia", "# hi", ".jl"), ("scala", "// hi", ".scala"),
     ("haskell", "-- hi", ".hs"), ("ocaml", "(* hi *)", ".ml"), ("nobody knows", "# hi", ".txt")],
)  # fmt: skip
def test_comments_and_extensions_are_those_of_the_language(language: str, comment: str, extension: str) -> None:
    made = script(notebook(markdown("hi"), language_info={"name": language}))
    assert comment in made.text
    assert made.extension == extension


def test_the_extension_is_what_the_notebook_says_where_that_is_one() -> None:
    said = {"name": "python", "file_extension": ".sage"}
    assert script(notebook(code("x"), language_info=said)).extension == ".sage"
    for bad in ("/../x", ".a b", 3, ".tar.gz", ""):
        assert script(notebook(code("x"), language_info=said | {"file_extension": bad})).extension == ".py"


@given(st.text())
def test_no_text_becomes_code(source: str) -> None:
    for line in text(markdown(source)).split("\n"):
        assert not line or line.startswith("#")
    assert ast.parse(text(markdown(source))).body == []


def test_the_end_of_a_comment_in_a_text_does_not_end_it() -> None:
    assert "*)" not in text(markdown("a *) evil"), language="ocaml").replace(" *)\n", "\n")


def test_removed_cells_are_not_there_and_bad_ones_cost_nothing_else() -> None:
    bad: list[Any] = [3, None, {"cell_type": "code", "source": {"a": 1}}]
    made = text(*bad, code("secret", metadata={"tags": ["remove-cell"]}), code("kept"))
    assert "secret" not in made
    assert made.endswith("kept\n")
    assert "could not be read" in made


def test_old_formats_have_code_too() -> None:
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [{"cell_type": "code", "input": "old = 1"}]}]}
    assert "old = 1" in script(json.dumps(old).encode()).text


def test_bytes_that_are_no_notebook_are_said_to_be_none() -> None:
    with pytest.raises(NotANotebook):
        script(b"<html>")
