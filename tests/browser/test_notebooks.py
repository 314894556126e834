"""A notebook's page as people meet it: at a desk, on a phone, in the dark, on paper, without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.figures import MODELS, PLOTLY, STATE, VIEW
from tests.browser.viewer import Viewer
from tests.browser.visit import Visit
from tests.services.nbviewer.render.making import code, display, markdown, notebook, stream

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    chromium.needed,
]

WIDE_TABLE = "<table><tr>" + "".join(f"<td>column {number}</td>" for number in range(60)) + "</tr></table>"
LONG_LINE = "value = " + " + ".join(f"number_{number}" for number in range(80))
PLAIN = (
    markdown("# Moons\n\nSome text with a [link](https://example.org/) and " + "x" * 300),
    markdown("## Four of them\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
    code(LONG_LINE, stream("a line\n" * 3), display({"text/html": WIDE_TABLE})),
)
FORMULA = "$\\frac{a}{b}$ and $\\left(\\sqrt{x}\\right)$"
FOR_KATEX = "$\\htmlClass{big}{x} \\mathchoice{D}{T}{S}{SS}$"
SCROLLS = """(element) => {
  for (let one = element; one; one = one.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX);
    if (scrolls && one.scrollWidth > one.clientWidth + 50) return true;
  }
  return false;
}"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(25, 24, 23)", "rgb(255, 255, 255)"


def test_a_page_without_interactive_outputs_needs_three_requests(visit: Visit) -> None:
    visit.show(*PLAIN).wait_for_load_state("networkidle")
    assert len(visit.requests) <= 3, visit.requests
    visit.assert_quiet()
    visit.assert_fits()
    visit.assert_accessible()


def test_formulas_need_a_font_more_at_most_and_no_script(plain: Visit) -> None:
    page = plain.show(markdown(FORMULA))
    assert page.locator("math").count() == 2
    page.wait_for_timeout(200)
    assert [url for url in plain.requests[1:] if not re.search(r"\.(css|js|woff2)$", url)] == []
    assert len(plain.requests) <= 4, plain.requests


def test_brackets_are_as_tall_as_what_they_hold(visit: Visit) -> None:
    page = visit.show(markdown("$\\left(\\frac{\\frac{a}{b}}{\\frac{c}{d}}\\right)$ and $(x)$"))
    tall, low = (page.locator("math").nth(index).locator("mo").first.bounding_box(timeout=2000) for index in (0, 1))
    assert tall is not None
    assert low is not None
    assert tall["height"] > 1.5 * low["height"]
    visit.assert_quiet()


@pytest.mark.parametrize("form", ["", "/format/slides"])
def test_a_formula_that_only_katex_knows_is_typeset_by_it(visit: Visit, form: str) -> None:
    page = visit.to(form + visit.viewer.put(notebook(markdown(FOR_KATEX))))
    formula = page.locator(".tex math").first
    formula.wait_for()
    ink = "(e) => getComputedStyle(e).color"
    assert formula.evaluate(ink) == page.locator("body").evaluate(ink)
    assert [url for url in visit.requests if "katex" in url]
    visit.assert_quiet()


def test_a_comparison_typesets_what_only_katex_knows(visit: Visit) -> None:
    old, new = (visit.viewer.put(notebook(markdown(FOR_KATEX), code(text))) for text in ("x", "y"))
    page = visit.to(f"/diff?a={old}&b={new}")
    page.get_by_text("1 cell is the same").click()
    page.locator(".tex math").first.wait_for()
    visit.assert_quiet()
    visit.assert_fits()
    visit.assert_accessible()


def test_a_phone_scrolls_tables_and_code_and_not_the_page(phone: Visit) -> None:
    page = phone.show(*PLAIN, markdown("$$" + "+".join(f"x_{{{n}}}" for n in range(60)) + "$$"))
    phone.assert_fits()
    for selector in (".nb .source", ".nb .out .scroll", ".nb .formula"):
        found = page.locator(selector).first.evaluate(SCROLLS)
        assert found, selector
    assert page.evaluate(BACKGROUND) == DARK
    page.locator("summary", has_text="Contents").click()
    page.get_by_role("link", name="Four of them").first.click()
    for control in page.locator(".actions :is(summary, button)").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 32
    phone.assert_quiet()
    phone.assert_accessible()


def test_how_a_page_looks_can_be_chosen_and_is_remembered(visit: Visit) -> None:
    page = visit.show(*PLAIN)
    page.get_by_text("View", exact=True).click()
    page.get_by_label("Hide code").check()
    page.get_by_label("Wrap long lines").check()
    page.get_by_label("Dark").check()
    for _ in range(2):
        assert not page.locator(".nb .in").first.is_visible()
        assert page.evaluate(BACKGROUND) == DARK
        assert page.locator(".nb .source").evaluate("(e) => getComputedStyle(e).whiteSpace") == "pre-wrap"
        page = visit.show(*PLAIN)
    visit.to("/localfile/")
    assert page.evaluate(BACKGROUND) == DARK
    visit.to("/nowhere/at/all")
    assert page.evaluate(BACKGROUND) == DARK


def test_keys_choose_it_too(visit: Visit) -> None:
    page = visit.show(*PLAIN)
    page.keyboard.press("c")
    assert not page.locator(".nb .in").first.is_visible()
    page.keyboard.press("t")
    page.keyboard.press("t")
    assert page.evaluate(BACKGROUND) == DARK
    visit.assert_quiet()


def test_without_a_script_the_same_controls_work(plain: Visit) -> None:
    page = plain.show(*PLAIN)
    page.get_by_text("View", exact=True).click()
    page.get_by_label("Hide code").check()
    assert not page.locator(".nb .in").first.is_visible()
    page.get_by_label("Wrap long lines").check()
    page.get_by_label("Dark").check()
    assert page.locator(".copy").count() == 1
    assert not page.locator(".copy").is_visible()


def test_tab_reaches_the_skip_link_first_and_it_leads_to_the_text(visit: Visit) -> None:
    page = visit.show(*PLAIN)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("(e) => e === document.activeElement")
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")


def test_a_link_to_the_page_can_be_copied(browser: Browser, viewer: Viewer) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    visit = Visit(context.new_page(), viewer)
    page = visit.show(*PLAIN)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    context.close()


def test_paper_has_no_bar_and_shows_all_of_a_long_cell(visit: Visit) -> None:
    page = visit.show(*PLAIN, code("\n".join(f"x = {number}" for number in range(200))))
    page.emulate_media(media="print", color_scheme="dark")
    for selector in (".bar", ".foot", ".toc-wide"):
        assert not page.locator(selector).is_visible()
    assert page.evaluate(BACKGROUND) == LIGHT
    long = page.locator(".nb .source").last
    assert long.evaluate("(e) => getComputedStyle(e).breakInside") == "auto"
    assert page.locator(".nb .source").first.evaluate("(e) => e.scrollWidth <= e.clientWidth + 1")
    visit.assert_fits()


def test_frames_are_there_in_the_dark_and_for_a_phone(phone: Visit) -> None:
    frame = phone.open(PLOTLY)
    frame.wait_for_selector(".bars .point path")
    phone.assert_fits()
    phone.assert_quiet()
    phone.assert_accessible()


def test_many_widgets_are_drawn_as_they_come_into_view(visit: Visit) -> None:
    view = {VIEW: {"model_id": "a"}}
    cells = [code(f"widget_{number}", display(view)) for number in range(16)]
    page = visit.show(*cells, widgets={STATE: {"state": MODELS}})
    for number in (0, 8, 15):
        page.locator("iframe.frame").nth(number).scroll_into_view_if_needed()
        page.frame_locator("iframe.frame").nth(number).get_by_text("moons").wait_for(timeout=5_000)
    visit.assert_quiet()
