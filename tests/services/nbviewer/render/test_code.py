from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.render.colours.code import highlight
from amalthea.services.nbviewer.render.colours.languages import LANGUAGES

SIGNS = [
    '"', "'", '"""', "\\", "\n", "f", "r", "{", "}", "#", "@", "%", "!", "?", "def ", "class ", "x", "1", ".", "/*",
    "*/", "//", "--", "`", "<", "&", "0x", "é", " ", "%%bash\n", "$", "#=", "(*",
]  # fmt: skip
PIECES = st.lists(st.sampled_from(SIGNS) | st.text(max_size=5)).map("".join)


@given(PIECES, st.sampled_from(["python", "unheard-of", *sorted(LANGUAGES)]))
def test_colours_change_no_character(code: str, language: str) -> None:
    coloured = highlight(code, language)
    assert html.unescape(re.sub(r'<span class="[a-z]">|</span>', "", coloured)) == html.unescape(html.escape(code))


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("def f(x): pass", '<span class="k">def</span> <span class="f">f</span>'),
        ("class A: pass", '<span class="t">A</span>'),
        ("@a.b\ndef f(): ...", '<span class="d">@a.b</span>'),
        ("x = 1_000.5e-3j", '<span class="n">1_000.5e-3j</span>'),
        ("print(x)", '<span class="b">print</span>'),
        ("x.print", "x.print"),
        ("# <b>", '<span class="c"># &lt;b&gt;</span>'),
        ('f"a{b!r}{{c}}"', '<span class="s">f"a<span class="e">{b!r}</span>{{c}}"</span>'),
        ("rb'\\''", "<span class=\"s\">rb'\\''</span>"),
        ('"""a\nb"""', '<span class="s">"""a\nb"""</span>'),
        ('"open\nx', '<span class="s">"open</span>\nx'),
        ("%timeit x", '<span class="m">%timeit x</span>'),
        ("!ls", '<span class="m">!ls</span>'),
        ("a % b", 'a <span class="o">%</span> b'),
        ("np.array?", '<span class="m">np.array?</span>'),
        ("%%bash\necho x", '<span class="b">echo</span>'),
        ("%%time\nfor x in y: pass", '<span class="k">for</span>'),
        ("%%html\n<b>", '<span class="t">b</span>'),
    ],
)
def test_python_is_coloured(code: str, part: str) -> None:
    assert part in highlight(code, "python")


@pytest.mark.parametrize(
    ("code", "language", "part"),
    [
        ("function f!(x) end # c", "julia", '<span class="c"># c</span>'),
        ("x <- data.frame(a = TRUE)", "r", '<span class="b">data.frame</span>'),
        ("select a from b -- c", "sql", '<span class="k">select</span>'),
        ("def f\n  @x = :a\nend", "ruby", '<span class="k">end</span>'),
        ("const x = `a ${b}\n`;", "javascript", '<span class="s">`a ${b}\n`</span>'),
        ("#include <x> /* a\nb */", "c++", '<span class="c">/* a\nb */</span>'),
        ("Get-ChildItem | foreach { $_ }", "powershell", '<span class="b">Get-ChildItem</span>'),
        ('{"a": [1, true]}', "json", '<span class="k">true</span>'),
    ],
)
def test_other_languages_are_coloured(code: str, language: str, part: str) -> None:
    assert part in highlight(code, language)


def test_an_unknown_language_is_plain() -> None:
    assert highlight("if <x>", "unheard-of") == "if &lt;x&gt;"


HARD = [
    '"',
    "'''",
    "\\",
    'f"{',
    '"{',
    "0x",
    "1e",
    ".",
    '"\\',
    "!\n",
    "a?",
    "/*",
    "`",
    "(*",
    "--[[",
    "\t@",
    "   \n",
    "%",
    "é",
]


@pytest.mark.parametrize("piece", HARD)
@pytest.mark.parametrize(
    "language", ["python", "c", "julia", "javascript", "haskell", "lua", "c#", "r", "powershell", "json"]
)
def test_time_grows_with_the_length_alone(piece: str, language: str) -> None:
    code = piece * (200_000 // len(piece))
    started = time.process_time()
    highlight(code, language)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("match x:\n    case 1:", '<span class="k">match</span> x:\n    <span class="k">case</span>'),
        ("case [1, *r] if x <= 3 == y:", '<span class="k">case</span>'),
        ("match = re.match(x)", 'match <span class="o">=</span> re.match(x)'),
        ("type X = int", '<span class="k">type</span> X'),
        ("x = !ls", 'x <span class="o">=</span> <span class="m">!ls</span>'),
        ("f\"{d['k']:>{w}} {x if y else z}\"", "{d[<span class=\"s\">'k'</span>]:&gt;{w}}"),
        ('f"{x if y else z}"', '<span class="k">if</span>'),
        ("a<b", 'a<span class="o">&lt;</span>b'),
        ("np.print.x", "np.print.x"),
        ("0xFF 0b1 0o7 1e5j .5", '<span class="n">.5</span>'),
    ],
)
def test_what_is_new_or_odd_in_python_is_known(code: str, part: str) -> None:
    assert part in highlight(code, "python")
