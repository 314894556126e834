from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from amalthea.services.nbviewer.render.slides import has_slides, slides
from tests.services.nbviewer.render.making import code, display, markdown, notebook, stream


def slide(kind: Any, source: str) -> dict[str, Any]:
    return markdown(source, metadata={"slideshow": {"slide_type": kind}})


def shape(*cells: Any) -> list[list[str]]:
    """The text of each slide, by column."""
    tree = html5lib.parse(slides(notebook(*cells)).body, namespaceHTMLElements=False)
    columns = tree.findall("body/section")
    return [[words(part) for part in column.findall("section")] for column in columns]


def words(part: Element | None) -> str:
    assert part is not None
    return " ".join("".join(part.itertext()).split())


def test_slides_stand_beside_and_below_one_another() -> None:
    made = shape(slide("slide", "a"), slide("-", "b"), slide("subslide", "c"), slide("slide", "d"), slide("", "e"))
    assert made == [["a b", "c"], ["d e"]]


def test_the_first_cell_starts_a_slide_whatever_it_is() -> None:
    for kind in ("-", "subslide", "fragment", "notes", 3, None, {"a": 1}):
        assert shape(slide(kind, "a")) == [["a"]]


def test_what_is_skipped_is_not_there() -> None:
    assert shape(slide("slide", "a"), slide("skip", "secret"), slide("-", "b")) == [["a b"]]


def test_fragments_hold_what_continues_them_and_notes_are_aside() -> None:
    body = slides(
        notebook(slide("slide", "a"), slide("fragment", "b"), slide("-", "c"), slide("notes", "n"), slide("-", "d"))
    ).body
    tree = html5lib.parse(body, namespaceHTMLElements=False)
    fragment = tree.find(".//div[@class='fragment']")
    assert words(fragment) == "b c"
    notes = tree.find(".//aside[@class='notes']")
    assert words(notes) == "n"


def test_nothing_inside_a_slide_is_taken_for_one() -> None:
    cells = [
        slide("slide", "a[^1]\n\n[^1]: note\n\n<section>own</section>"),
        code("x", display({"text/html": "<section>b"})),
    ]
    body = slides(notebook(*cells)).body
    tree = html5lib.parse(body, namespaceHTMLElements=False)
    assert len(tree.findall(".//section")) == 2
    assert 'role="group" class="cell' in body


def test_a_notebook_without_cells_is_an_empty_deck() -> None:
    assert slides(notebook()).body == ""
    assert slides(notebook(code("x", stream("y")))).cells == 1


@pytest.mark.parametrize(
    ("cell", "has"),
    [(slide("slide", "a"), True), (slide("-", "a"), False), (slide("skip", "a"), True), (markdown("a"), False),
     (markdown('"slide_type": "slide"'), False)],
)  # fmt: skip
def test_slides_are_offered_where_an_author_made_some(cell: Any, has: bool) -> None:
    assert has_slides(notebook(cell)) == has
