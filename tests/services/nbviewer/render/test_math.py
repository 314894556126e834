from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render.formulas import protect
from amalthea.services.nbviewer.render.mathml import mathml
from tests.services.nbviewer.render.making import markdown, shown, text

PIECES = [
    "a", "b", "1", "^", "_", "{", "}", "&", "'", "[", "]", "(", ")", "<", ">", '"', "$", "%", "#", "~", "\\\\",
    "\\frac", "\\sqrt", "\\left(", "\\right)", "\\text{<b>}", "\\begin{matrix}", "\\end{matrix}", "\\alpha",
    "\\unicode{x3c}",
    "\\color{red}", "\\hspace{9em}", "\\mathbf", "\\operatorname{x}", "\\over", "\\not", "\\limits", "\\overset",
    "\\rule{1em}{1em}", "&#x3c;",
]  # fmt: skip
TEX = st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)


@settings(deadline=None, max_examples=300)
@given(TEX, st.booleans())
def test_any_tex_is_well_formed_mathml_or_nothing(tex: str, display: bool) -> None:
    made = mathml(tex, display=display)
    if made is not None:
        tree = ET.fromstring(made)
        assert {element.tag[0] for element in tree.iter()} == {"m"}


@given(st.text(alphabet="$\\()[]{}begin`~ \n>a"))
def test_taking_formulas_out_and_putting_them_back_changes_nothing(source: str) -> None:
    protected = protect(source)
    restored = protected.text
    for number, formula in enumerate(protected.formulas):
        restored = restored.replace(f"{protected.mark}{number}x", formula.source)
    assert restored == source


def test_a_text_that_holds_the_mark_gets_another() -> None:
    protected = protect("mth00x $y$")
    assert protected.mark not in "mth00x"
    assert "mth00x" in text("mth00x $y$")


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"\mathbf{x}", "𝐱"),
        (r"\mathbb{R}", "ℝ"),
        (r"\mathcal{L}", "ℒ"),
        (r"\Delta", '<mi mathvariant="normal">Δ</mi>'),
        (r"\begin{align} a &= b \end{align}", 'class="to-right"'),
        (r"\text{if } x < 0", "<mo>&lt;</mo>"),
        (r"x \label{eq:1}", "<mi>x</mi>"),
        (r"a &= b \\ c &= d", "<mtable"),
        (r"\begin{alignat*}{2} a &= b \end{alignat*}", 'class="to-right"'),
        (r"\begin{gather} a \\ b \end{gather}", "<mtable"),
        (r"\begin{equation}\begin{aligned} a &= b \end{aligned}\end{equation}", "<mtable"),
    ],
)
def test_what_browsers_leave_out_is_said_in_other_words(tex: str, part: str) -> None:
    made = mathml(tex, display=True)
    assert made is not None
    assert part in made


def test_equations_have_no_numbers_that_would_all_be_one() -> None:
    assert "(1)" not in (mathml(r"\begin{align} a &= b \\ c &= d \end{align}", display=True) or "")


@pytest.mark.parametrize("tex", [r"\foo{x}", r"\frac{", "", " ", "{" * 100, "x^" * 200, r"\href{x}{y}", r"\left("])
def test_tex_that_cannot_be_typeset_is_shown_as_it_is(tex: str) -> None:
    assert mathml(tex, display=False) is None
    if tex.strip():
        assert '<code class="math">' in text(f"$$ {tex} $$")


def test_a_formula_that_is_too_long_is_shown_as_it_is() -> None:
    assert '<code class="math">' in text(f"${'x+' * 5000}1$")


def test_commands_that_a_notebook_defines_are_known_in_later_cells() -> None:
    page = shown(
        markdown(r"$\newcommand{\R}{\mathbb{R}}\def\pair#1#2{\langle #1, #2 \rangle}$"),
        markdown(r"$\R$ $\pair{a}{b}$ $\op$ $\DeclareMathOperator{\op}{argmax}\op$"),
    )
    assert "ℝ" in page.body
    assert "⟨" in page.body
    assert "argmax" in page.body
    assert page.body.count("<code") == 1


def test_definitions_without_end_end() -> None:
    assert '<code class="math">' in text(r"$\def\a{\a\a}\a$")


def test_more_math_than_is_typeset_is_told() -> None:
    page = shown(markdown(" ".join(f"$x_{{{number}}} + {'y' * 3000}$" for number in range(30))))
    assert "there is more math than is typeset here; the rest is shown as TeX" in page.problems
