from __future__ import annotations

import re

import pytest

from amalthea.services.nbviewer.render import Options
from tests.services.nbviewer.render.making import markdown, shown, text

RAW = Options(raw_base="https://raw.example.org/u/r/main/dir/", link_base="/github/u/r/blob/main/dir/")


def test_githubs_markdown_is_understood() -> None:
    body = text(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n~~old~~ https://example.org\n\n- [x] done\n- [ ] open\n\nx[^1]\n\n[^1]: y"
    )
    for part in ("<td>1</td>", "<del>old</del>", '<a href="https://example.org"', "☑ done", "☐ open", "footnote"):
        assert part in body


def test_tables_scroll_and_can_be_reached_by_keyboard() -> None:
    assert '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>' in text("|a|\n|-|\n|1|")


def test_headings_have_ids_of_their_text_and_are_unique() -> None:
    page = shown(markdown("# A & B\n\n## Same\n\n## Same\n\n## Same-1"), markdown("### *x* `y` $z$"))
    assert [h.id for h in page.headings] == ["nb-A-&-B", "nb-Same", "nb-Same-1", "nb-Same-1-1", "nb-x-y-$z$"]
    assert page.headings[-1].text == "x y $z$"
    assert 'id="nb-A-&amp;-B"' in page.body
    assert 'href="#nb-Same-1"' in page.body


def test_a_heading_keeps_an_id_of_its_own() -> None:
    body = text('<h2 id="mine">Title</h2>\n\n[go](#mine)')
    assert '<h2 id="nb-mine">' in body
    assert 'href="#nb-mine"' in body


def test_headings_without_a_blank_are_headings_as_they_were_in_old_notebooks() -> None:
    assert [h.text for h in shown(markdown("##Old\n\n#1. One")).headings] == ["Old", "1. One"]
    assert shown(markdown("```\n#include <x>\n```")).headings == ()


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("[x](other.ipynb)", 'href="/github/u/r/blob/main/dir/other.ipynb"'),
        ("[x](../a b.ipynb)", None),
        ("[x](<../a b.ipynb>)", 'href="/github/u/r/blob/main/a%20b.ipynb"'),
        ("[x](#place)", 'href="#nb-place"'),
        ("[x](mailto:a@example.org)", 'href="mailto:a@example.org"'),
        ("[x](//[)", "<a"),
        ("![x](img/a.png)", 'src="https://raw.example.org/u/r/main/dir/img/a.png"'),
        ('<img src="a.png" width="50%" height="20px">', 'width="50%" height="20px"'),
        ('<img src="a.png" width="calc(1px)">', 'src="https://raw.example.org/u/r/main/dir/a.png">'),
        ("![x](https://example.org/a.png)", 'src="https://example.org/a.png"'),
        ("![x](data:image/png;base64,aGk=)", 'src="data:image/png;base64,aGk="'),
    ],
)
def test_addresses_lead_where_the_notebook_lies(source: str, written: str | None) -> None:
    body = shown(markdown(source), options=RAW).body
    assert (written or "../a b.ipynb") in body


def test_an_attachment_is_an_image_with_its_data() -> None:
    body = text("![x](attachment:my%20a.png)", attachments={"my a.png": {"image/png": ["aG", "k=\n"]}})
    assert '<img src="data:image/png;base64,aGk=" alt="x">' in body


@pytest.mark.parametrize("attachments", [{}, {"a": 3}, {"a": {"text/html": "aGk="}}, {"a": {"image/png": "<b>"}}, []])
def test_an_attachment_that_is_no_image_is_missed(attachments: object) -> None:
    page = shown(markdown("![x](attachment:a)", attachments=attachments))
    assert 'src="' not in page.body
    assert page.problems == ('Cell 1: the attached image "a" is missing or no image',)


def test_code_in_fences_has_colours() -> None:
    assert '<span class="k">def</span>' in text("```python\ndef f(): pass\n```")
    assert "&lt;b&gt;" in text("```unheard-of\n<b>\n```")


@pytest.mark.parametrize(
    "source",
    [
        "$x$",
        "$$x$$",
        "\\(x\\)",
        "\\[x\\]",
        "\\\\(x\\\\)",
        "\\begin{equation}x\\end{equation}",
        "a $x$b",
        "| $x$ |\n|-|",
    ],
)
def test_math_is_mathml(source: str) -> None:
    assert re.search(r"<math( display=\"block\")?>.*<mi>x</mi>.*</math>", text(source))


@pytest.mark.parametrize(
    "source",
    [
        "`$x$`",
        "```\n$x$\n```",
        "    $x$",
        "\\$x\\$",
        "$5 and $10",
        "$x",
        "$ $",
        "$x\n\ny$",
        "~~~\n$$x$$\n~~~",
        "<pre>$x$</pre>",
    ],
)
def test_what_only_looks_like_math_is_left_alone(source: str) -> None:
    body = text(source)
    assert "<math" not in body
    assert "$" in body
    assert "mth" not in body


def test_markdown_does_not_touch_math() -> None:
    body = text(r"$a_1 b_2 * c * <d> \\ e$ and *this*")
    assert "<em>this</em>" in body
    assert "<em> c" not in body
    assert body.count("<msub>") == 2


def test_math_in_the_title_of_a_link_becomes_text_again() -> None:
    body = text('[x](https://example.org/$a$ "the $b$ of it")')
    assert 'href="https://example.org/%24a%24"' in body
    assert 'title="the $b$ of it"' in body


def test_a_page_in_a_frame_becomes_a_link() -> None:
    page = shown(markdown('<iframe width="560" src="https://www.youtube.com/embed/x"></iframe>'))
    assert 'Embedded page: <a href="https://www.youtube.com/embed/x"' in page.body
    assert page.problems == ("Cell 1: Left out here: a web page.",)


def test_githubs_alerts_are_boxes_with_a_title() -> None:
    body = text("> [!WARNING]\n> mind *this*")
    assert '<div class="markdown-alert markdown-alert-warning">' in body
    assert '<p class="markdown-alert-title">Warning</p>' in body
