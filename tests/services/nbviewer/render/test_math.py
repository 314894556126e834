"""Formulas: found in text, converted to MathML, numbered, or left to the browser."""

from __future__ import annotations

import hashlib
import os
import time
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import Limits, NotANotebook, formats
from amalthea.services.nbviewer.render.math.formulas import protect
from amalthea.services.nbviewer.render.math.mathml import mathml
from amalthea.services.nbviewer.render.math.typesetting import Typesetter
from amalthea.services.nbviewer.render.reading import read
from amalthea.web.static_files import StaticFiles
from tests.services.nbviewer.render.making import code, display, markdown, output, shown, text
from tests.services.nbviewer.render.passive import ALLOWED

CORPUS = Path(os.environ.get("AMALTHEA_CORPUS", Path(__file__).parents[5] / "shared" / "corpus"))
PIECES = [
    "a", "b", "12", "^", "_", "{", "}", "&", "'", "[", "]", "(", ")", "<", ">", '"', "$", "%", "#", "~", "\\\\", "|",
    "\\frac", "\\sqrt", "\\left(", "\\middle|", "\\right)", "\\text{<b>$x$}", "\\begin{matrix}", "\\end{matrix}",
    "\\begin{align}", "\\end{align}", "\\tag{<1>}", "\\label{x}", "\\eqref{x}", "\\alpha", "\\unicode{x3c}", "\\over",
    "\\color{red}", "\\hspace{9em}", "\\mathbf", "\\operatorname{x}", "\\not", "\\limits", "\\overset", "\\bf", "\\sum",
    "\\rule{1em}{1em}", "&#x3c;", "\\big", "\\ce{H2O}", "\\sin", "\\substack", "\\kern", "\\dv", "\\genfrac", "\x00",
    "\ue0000\ue001", "\ud7ff", "é", "中文", "𝐱", "\\underbrace", "\\displaystyle", "\\array", "-", "=", ",",
    "\\", "\\hline",
]  # fmt: skip
TEX = st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join) | st.text(max_size=60)


def made(tex: str, *, display: bool = True) -> str:
    formula = mathml(tex, display=display)
    assert formula is not None, tex
    ET.fromstring(formula)
    return formula.removeprefix('<math display="block">').removeprefix("<math>").removesuffix("</math>")


@settings(deadline=None, max_examples=500)
@given(TEX, st.booleans())
def test_any_text_is_well_formed_mathml_or_nothing(tex: str, display: bool) -> None:
    formula = mathml(tex, display=display)
    if formula:
        assert {element.tag for element in ET.fromstring(formula).iter()} <= ALLOWED


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


SAME = [
    ("x", "<mi>x</mi>"),
    ("x_1^2", "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>"),
    ("x^{10}", "<msup><mi>x</mi><mn>10</mn></msup>"),
    ("x^10", "<msup><mi>x</mi><mn>1</mn></msup><mn>0</mn>"),
    ("f'", '<mrow><mi>f</mi><mo lspace="0" rspace="0">′</mo></mrow>'),
    ("f''_1", '<msub><mrow><mi>f</mi><mo lspace="0" rspace="0">″</mo></mrow><mn>1</mn></msub>'),
    ("f'^2", '<msup><mrow><mi>f</mi><mo lspace="0" rspace="0">′</mo></mrow><mn>2</mn></msup>'),
    ("^2", "<msup><mrow></mrow><mn>2</mn></msup>"),
    ("1,000.5", "<mn>1</mn><mo>,</mo><mn>000.5</mn>"),
    ("1{,}000.5", "<mn>1,000.5</mn>"),
    ("a % comment\n b", "<mi>a</mi><mi>b</mi>"),
    ("a<b>c", "<mi>a</mi><mo>&lt;</mo><mi>b</mi><mo>&gt;</mo><mi>c</mi>"),
    ("a &lt; b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
    (r"{a \over b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
    (r"n \choose k", '<mrow><mo>(</mo><mfrac linethickness="0"><mi>n</mi><mi>k</mi></mfrac><mo>)</mo></mrow>'),
    (r"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>"),
    (r"\sum_{i}^n", "<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>"),
    (r"\sum\nolimits_i", "<msub><mo>∑</mo><mi>i</mi></msub>"),
    (r"\int_0^1", "<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>"),
    (r"\int\limits_0", "<munder><mo>∫</mo><mn>0</mn></munder>"),
    (r"\lim_x", "<munder><mi>lim</mi><mi>x</mi></munder>"),
    (r"\sin x", '<mi>sin</mi><mspace width="0.1667em"/><mi>x</mi>'),
    (r"\mathbf{x}", "<mi>𝐱</mi>"),
    (r"\boldsymbol\alpha", "<mi>𝜶</mi>"),
    (r"\bm{\Sigma}", "<mi>𝜮</mi>"),
    (r"\mathbb{R}\mathcal{L}\mathfrak{g}\mathsf{s}", "<mi>ℝ</mi><mi>ℒ</mi><mi>𝔤</mi><mi>𝗌</mi>"),
    (r"\mathrm{Var}\mathrm d", '<mi>Var</mi><mi mathvariant="normal">d</mi>'),
    (r"{\rm softmax}", "<mi>softmax</mi>"),
    (r"\Delta", '<mi mathvariant="normal">Δ</mi>'),
    (r"\text{a b}", "<mtext>a\u00a0b</mtext>"),
    (r"\text{TP}", "<mi>TP</mi>"),
    (r"\text{if $x$}", "<mrow><mtext>if\u00a0</mtext><mi>x</mi></mrow>"),
    (r"\color{red}{x}", '<mstyle mathcolor="red"><mi>x</mi></mstyle>'),
    (r"\textcolor{#f00}x", '<mstyle mathcolor="#f00"><mi>x</mi></mstyle>'),
    (r"a\,b\quad c", '<mi>a</mi><mspace width="0.1667em"/><mi>b</mi><mspace width="1em"/><mi>c</mi>'),
    (r"a\!b", '<mi>a</mi><mspace class="back-3"/><mi>b</mi>'),
    (r"\hspace{2em}", '<mspace width="2em"/>'),
    (r"\not=\not\in", "<mo>≠∉</mo>"),
    ("a:=b", "<mi>a</mi><mo>:=</mo><mi>b</mi>"),
    ("-x", '<mo form="prefix">−</mo><mi>x</mi>'),
    ("(-x)", '<mo stretchy="false">(</mo><mo form="prefix">−</mo><mi>x</mi><mo stretchy="false">)</mo>'),
    ("x^{-1}", '<msup><mi>x</mi><mrow><mo lspace="0" rspace="0">−</mo><mn>1</mn></mrow></msup>'),
    (r"\left(a\middle|b\right.",
     '<mrow><mo form="prefix" stretchy="false" lspace="0" rspace="0">(</mo><mi>a</mi>'
     '<mo stretchy="true" symmetric="true" '
     'lspace=".05em" rspace=".05em">|</mo><mi>b</mi></mrow>'),
    (r"\hat x", '<mover accent="true"><mi>x</mi><mo stretchy="false">ˆ</mo></mover>'),
    (r"\underbrace{x}_{n}", '<munder><munder><mi>x</mi><mo stretchy="true">⏟</mo></munder><mi>n</mi></munder>'),
    (r"\stackrel{!}{=}", '<mover><mo stretchy="false" movablelimits="false">=</mo><mo form="postfix">!</mo></mover>'),
    (r"\phantom{x}", "<mphantom><mi>x</mi></mphantom>"),
    (r"\boxed{x}", '<mrow class="boxed"><mi>x</mi></mrow>'),
    (r"\href{javascript:alert(1)}{x}", "<mi>x</mi>"),
    (r"\require{mhchem}x", "<mi>x</mi>"),
    (r"\unicode{x263a}", "<mtext>☺</mtext>"),
    (r"\ket{\psi}", '<mrow><mo form="prefix" stretchy="false" lspace="0" rspace="0">|</mo><mi>ψ</mi>'
     '<mo form="postfix" stretchy="false" lspace="0" rspace="0">⟩</mo></mrow>'),
    (r"\ce{H2O}",
     '<mrow><msub><mi mathvariant="normal">H</mi><mtext>2</mtext></msub><mi mathvariant="normal">O</mi></mrow>'),
    ("é中", "<mi>é</mi><mi>中</mi>"),
    (r"\begin{pmatrix}a&b\\c&d\end{pmatrix}", '<mrow><mo>(</mo><mtable class="matrix"><mtr><mtd><mi>a</mi></mtd><mtd>'
     "<mi>b</mi></mtd></mtr><mtr><mtd><mi>c</mi></mtd><mtd><mi>d</mi></mtd></mtr></mtable><mo>)</mo></mrow>"),
    (r"\begin{cases}a&b\end{cases}", '<mrow><mo>{</mo><mtable class="cases"><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi>'
     "</mtd></mtr></mtable></mrow>"),
    (r"\begin{array}{l|r}a&b\\[2pt]\hline c&d\end{array}", '<mtable class="array"><mtr><mtd class="to-left line-right">'
     '<mi>a</mi></mtd><mtd class="to-right"><mi>b</mi></mtd></mtr><mtr class="ruled"><mtd class="to-left line-right">'
     '<mi>c</mi></mtd><mtd class="to-right"><mi>d</mi></mtd></mtr></mtable>'),
    (r"\begin{aligned}a&=b\\&+c\end{aligned}", '<mtable class="aligned" displaystyle="true"><mtr><mtd><mi>a</mi></mtd>'

         '<mtd><mo>=</mo><mi>b</mi></mtd></mtr>'
     '<mtr><mtd></mtd><mtd><mo form="infix">+</mo><mi>c</mi></mtd></mtr></mtable>'),
    (r"a &= b \\ c &= d", '<mtable class="aligned" displaystyle="true"><mtr><mtd><mi>a</mi></mtd><mtd><mo>=</mo>'
     "<mi>b</mi></mtd></mtr><mtr><mtd><mi>c</mi></mtd><mtd><mo>=</mo><mi>d</mi></mtd></mtr></mtable>"),
]  # fmt: skip


@pytest.mark.parametrize(("tex", "expected"), SAME, ids=[tex for tex, _ in SAME])
def test_each_construct_has_its_mathml(tex: str, expected: str) -> None:
    assert made(tex) == expected


@pytest.mark.parametrize(
    "tex",
    [
        r"\dfrac{a}{b}\tfrac{a}{b}\cfrac{1}{2}\binom{n}{k}\genfrac{(}{)}{0pt}{1}{a}{b}",
        r"\overline{x}\underline{x}\widehat{xy}\overrightarrow{AB}\xrightarrow[a]{b}\overset{a}{b}\underset{a}{b}",
        r"\bigl(\Big|\bigg\}\Bigg\rangle\big/\bigm|",
        r"a \pmod{n} \operatorname*{arg\,max}_x \mathop{XY}_{i} \substack{a\\b}",
        r"\begin{alignat*}{2} a &= b \end{alignat*}",
        r"\begin{gather} a \\ b \end{gather}",
        r"\begin{multline} a \\ b \end{multline}",
        r"\begin{eqnarray} a &=& b \end{eqnarray}",
        r"\begin{equation}\begin{split} a &= b \end{split}\end{equation}",
        r"\bra{a}\braket{a|b}\dv{f}{x}\pdv[2]{f}{x}\abs{x}\norm{x}",
        r"\ce{2 H2 + O2 -> 2 H2O} \ce{SO4^2-} \ce{Fe^{3+}}",
        r"\vphantom{x}\smash{x}\cancel{x}\mathrel{R}\mathbin{B}\displaystyle\sum \large x",
        r"\textbf{a \textit{b}} \mbox{it's 5\% of \$3} \texttt{a_b}",
    ],
)
def test_these_are_known_too(tex: str) -> None:
    assert made(tex)


def test_limits_stand_beside_the_sum_within_a_line() -> None:
    assert made(r"\sum_i", display=False) == "<msub><mo>∑</mo><mi>i</mi></msub>"
    assert made(r"\frac{\sum_i}{2}") == "<mfrac><msub><mo>∑</mo><mi>i</mi></msub><mn>2</mn></mfrac>"


def test_lines_are_numbered_as_latex_numbers_them() -> None:
    numbered = made(r"\begin{align} a &= b \\ c &= d \notag \\ e &= f \tag{x} \end{align}")
    assert "(1)" in numbered
    assert "(2)" not in numbered
    assert "(x)" in numbered
    assert "(1)" not in made(r"\begin{align*} a &= b \end{align*}")
    assert "(1)" not in made(r"\left[\begin{align} a &= b \end{align}\right]")


def test_numbers_run_through_a_notebook_and_references_find_them() -> None:
    page = shown(
        markdown(r"see $\eqref{late}$ and $\ref{never}$"),
        markdown(r"\begin{equation}a\end{equation} \begin{equation}a\end{equation}"),
        markdown(r"\begin{equation}b\label{late}\end{equation} by $\ref{late}$"),
    )
    assert "see <math><mtext>(3)</mtext></math> and <math><mtext>???</mtext></math>" in page.body
    assert "by <math><mtext>3</mtext></math>" in page.body
    assert all(f"<mtext>({number})</mtext>" in page.body for number in (1, 2, 3))


@pytest.mark.parametrize(
    "tex", [r"\foo{x}", r"\frac{", "{" * 150, "x^" * 200, r"\left(", "a}b", r"\color{;}x", "x^1^2"]
)
def test_tex_that_is_not_known_is_left_to_the_browser(tex: str) -> None:
    assert mathml(tex, display=False) is None
    page = shown(markdown(f"${tex}$ $${tex}$$"))
    assert page.tex
    assert '<span class="tex">$' in page.body
    assert '<span class="tex" data-display>$$' in page.body


def test_a_page_whose_formulas_are_all_known_needs_no_script() -> None:
    assert not shown(markdown("$x$")).tex


def test_a_formula_that_is_too_long_is_shown_as_it_is() -> None:
    page = shown(markdown(f"${'x+' * 5000}1$"))
    assert '<code class="math">' in page.body
    assert not page.tex


def test_an_output_of_latex_that_is_not_known_is_shown_as_text() -> None:
    body = output(display({"text/latex": r"$\foo$", "text/plain": "plain"}))
    assert "plain" in body
    assert "tex" not in shown(code("x", display({"text/latex": "$x$"}))).body.partition("<math")[2]


def test_commands_that_a_notebook_defines_are_known_in_later_cells() -> None:
    page = shown(
        markdown(r"$\newcommand{\R}{\mathbb{R}}\def\pair#1#2{\langle #1, #2 \rangle}\let\E=\mathbb$"),
        markdown(r"$\R$ $\pair{a}{b}$ $\op$ $\DeclareMathOperator{\op}{argmax}\op$ $\E{P}$"),
        markdown(r"$\newcommand{\two}[2][z]{#1+#2}\two{b} \two[c]{d}$"),
    )
    assert "ℝ" in page.body
    assert "⟨" in page.body
    assert "argmax" in page.body
    assert "ℙ" in page.body
    assert "<mi>z</mi><mo>+</mo><mi>b</mi><mi>c</mi><mo>+</mo><mi>d</mi>" in page.body
    assert page.body.count('class="tex"') == 1


def test_definitions_without_end_end() -> None:
    assert '<code class="math">' in text(r"$\def\a{\a\a}\a$")


def test_more_math_than_is_typeset_is_told() -> None:
    page = shown(markdown(" ".join(f"$x_{{{number}}} + {'y' * 3000}$" for number in range(30))))
    assert "there is more math than is typeset here; the rest is shown as TeX" in page.problems


HOSTILE = [
    "{" * 4000, "x^{" * 1300, "\\sqrt" * 800, "\\text{" * 660, "\\text{" * 330 + "}" * 2000, "\\left(" * 660,
    "\\begin{matrix}" * 280, "\\sqrt[" * 660, "\\sqrt[" * 330 + "]" * 2000, "a\\over " * 500, "\\color{red}" * 360,
    "&" * 4000, "\\\\" * 2000, "\\frac" * 800, "'" * 4000, "\\not" * 1000, "\\rm " * 1000, "\\textcolor" * 400,
    "%" * 4000,
    "\\text{$" * 500, "\\operatorname{" * 280, "\\ce{" + "a" * 3900 + "}", "\\big" * 1000,
    "\\hspace{" + "1" * 3900 + "}",
    "[" * 4000, "\\" * 4000, "\\substack{" * 400, "\\displaystyle" * 300, "\\overset{a}" * 360, "1" * 4000,
    "1.1" * 1300,
]  # fmt: skip


@pytest.mark.parametrize("tex", HOSTILE, ids=[tex[:12] for tex in HOSTILE])
def test_tex_built_to_hurt_takes_time_by_its_length_alone(tex: str) -> None:
    mathml("x", display=True)
    started = time.process_time()
    for _ in range(15):  # as much as a notebook may have
        mathml(tex, display=True)
    assert time.process_time() - started < 1.5


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no notebooks in {CORPUS}; set AMALTHEA_CORPUS")
def test_nearly_all_formulas_of_real_notebooks_are_known() -> None:
    known = unknown = 0
    for file in sorted(CORPUS.rglob("*.ipynb")):
        try:
            frame = formats.notebook(read(file.read_bytes()))
        except NotANotebook:
            continue
        cells = [formats.cell(value, frame) for value in frame.cells if isinstance(value, dict)]
        texts = [cell.source for cell in cells if cell.kind == "markdown"]
        page = " ".join(Typesetter(Limits()).html(formula) for text in texts for formula in protect(text).formulas)
        known += page.count("<math")
        unknown += page.count('class="tex"')
    assert known > 2000
    assert unknown / known < 0.003


@pytest.mark.parametrize("name", ["katex.min.js", "latin-modern-math.woff2"])
def test_what_others_made_is_the_file_whose_licence_stands_beside_it(name: str) -> None:
    static = files("amalthea.services.nbviewer").joinpath("static")
    digest = hashlib.sha256(static.joinpath(name).read_bytes()).hexdigest()
    assert digest in static.joinpath(f"{name.split('.')[0]}.license.txt").read_text()


def test_the_style_sheet_names_the_font_as_it_is_served() -> None:
    address = StaticFiles("amalthea.services.nbviewer").url("latin-modern-math.woff2")
    sheet = files("amalthea.services.nbviewer").joinpath("static", "notebook.css").read_text()
    assert f'url("{address.rpartition("/")[2]}")' in sheet
