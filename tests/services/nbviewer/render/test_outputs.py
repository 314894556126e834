from __future__ import annotations

import re
from typing import Any

import pytest

from tests.services.nbviewer.render.making import code, display, output, shown, stream

PNG = {"image/png": "aGk=\n"}
PLOTLY: dict[str, Any] = {"application/vnd.plotly.v1+json": {"data": []}}
SVG = {"image/svg+xml": ["<svg width='1'>", "</svg>"]}


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"text/html": "<b>x</b>", "text/plain": "plain"}, '<div class="html"><b>x</b></div>'),
        ({"text/markdown": "*x*", "text/plain": "plain"}, "<em>x</em>"),
        ({"text/latex": "$x$", **PNG}, "<math"),
        ({"text/latex": "\\begin{tikzpicture}x\\end{tikzpicture}", **PNG}, "data:image/png"),
        ({**SVG, **PNG}, "data:image/svg+xml;base64,"),
        ({"image/png": "<no base64>", "text/plain": "plain"}, "plain"),
        ({"image/png": "", "image/jpeg": ["aG", "k="]}, "data:image/jpeg;base64,aGk="),
        ({"application/json": {"a": [1]}, "text/plain": "plain"}, "<summary>JSON, 1 entry</summary>"),
        ({"application/json": 2**80}, "1208925819614629174706176"),
        ({"text/plain": ["two\n", "lines"]}, "two\nlines"),
        ({"text/plain": 3}, "3"),
        ({"text/html": "<svg xmlns='x'><script>1</script></svg>"}, "data:image/svg+xml"),
        ({"application/x-new": "x"}, "cannot be shown here (application/x-new)"),
    ],
)
def test_the_best_representation_is_shown(data: dict[str, Any], part: str) -> None:
    body = output(display(data))
    assert part in body
    assert part == "plain" or "plain<" not in body


@pytest.mark.parametrize(
    ("data", "passive", "who"),
    [
        ({**PLOTLY, "text/html": "<div></div><script>Plotly.x()</script>", **PNG}, "data:image/png", "Plotly"),
        ({**PLOTLY, "text/plain": "<Figure object at 0x1>"}, "", "Plotly"),
        ({"text/html": "<div></div><script>Plotly.newPlot()</script>"}, "", "Plotly"),
        ({"text/html": "<p>seen</p><script>x()</script>"}, "<p>seen</p>", "JavaScript"),
        ({"text/html": "<script>x()</script>", **PNG}, "data:image/png", None),
        ({"application/vnd.vegalite.v5+json": {}, **SVG}, "data:image/svg", "Vega-Lite"),
        ({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=7)"}, "IntSlider", "a widget"),
        ({"application/javascript": "x()", "text/plain": "<IPython.core.display.Javascript object>"}, "", "JavaScript"),
        ({"application/vnd.bokehjs_exec.v0+json": "", "application/javascript": "x"}, "", "Bokeh"),
    ],
)
def test_interactive_outputs_are_shown_as_their_passive_stand_in(
    data: dict[str, Any], passive: str, who: str | None
) -> None:
    body = output(display(data))
    assert passive in body
    assert (f"This output is interactive ({who}); it is not run here." in body) == (who is not None)
    assert "object at" not in body
    assert "IPython.core" not in body


def test_one_cell_says_a_thing_once() -> None:
    page = shown(code("x", *[display({"application/javascript": "x"})] * 5), code("x", display(PLOTLY)))
    assert page.body.count("it is not run here") == 2
    assert len(page.problems) == 2


def test_images_have_the_size_and_the_words_that_the_notebook_declares() -> None:
    sized = display(PNG, {"image/png": {"width": 300, "height": "200px", "alt": 'a "b"'}})
    assert '<img src="data:image/png;base64,aGk=" alt="a &quot;b&quot;" width="300" height="200">' in output(sized)
    assert 'alt="Image, output of cell 1">' in output(display(PNG, {"width": "1e9", "height": True}))


def test_neighbouring_texts_of_a_stream_are_one() -> None:
    body = output(stream("a "), stream(["b", " c"]), stream("oops", "stderr"), stream("d"))
    assert re.findall(r"<pre>(.*?)</pre>", body) == ["a b c", "oops", "d"]
    assert 'class="out stderr" role="group" aria-label="Standard error"' in body


def test_a_progress_bar_over_several_outputs_is_its_last_state() -> None:
    assert "<pre>100%</pre>" in output(stream("\r 10%"), stream("\r 50%"), stream("\r100%"))


def test_an_error_shows_its_traceback_in_colour() -> None:
    failure = {
        "output_type": "error",
        "ename": "KeyError",
        "evalue": "'a'",
        "traceback": ["\x1b[31mKeyError\x1b[0m", "x"],
    }
    body = output(failure)
    assert '<span class="a-f1">KeyError</span>\nx' in body
    assert "aria-label=\"Error: KeyError: 'a'\"" in body
    assert "KeyError: &#x27;" not in output({**failure, "traceback": []})


def test_an_unknown_output_shows_its_text() -> None:
    page = shown(code("x", {"output_type": "hologram", "data": {"text/plain": "see <me>"}}))
    assert "see &lt;me&gt;" in page.body
    assert page.problems == ("Cell 1: an output of an unknown kind (hologram)",)


def test_a_result_has_its_number() -> None:
    result = {"output_type": "execute_result", "execution_count": 7, "data": {"text/plain": "x"}, "metadata": {}}
    assert '<div class="prompt" aria-hidden="true">[7]</div>' in output(result)
