"""Every other kind of page: the front page and what is dropped on it, listings, slides, comparisons, errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import chromium
from tests.browser.figures import PLOTLY
from tests.browser.visit import Visit
from tests.services.nbviewer.render.making import code, display, markdown, notebook, stream

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    chromium.needed,
]

OWN = notebook(markdown("# From my own computer\n\nwith $x^2$"), code("1 + 1", display({"text/plain": "2"})))
SLIDE = {"slideshow": {"slide_type": "slide"}}
TALK = notebook(
    markdown("# First slide", metadata=SLIDE),
    code("plot", PLOTLY, metadata=SLIDE),
    markdown("# Third slide", metadata=SLIDE),
)
DROP = """([text, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "application/x-ipynb+json" }));
  for (const kind of ["dragover", "drop"]) {
    document.querySelector("main").dispatchEvent(
      new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
  }
}"""


@pytest.mark.parametrize("path", ["/", "/faq", "/localfile/", "/diff", "/nowhere", "/localfile/broken.ipynb"])
@pytest.mark.parametrize("device", ["visit", "phone"])
def test_a_page_of_our_own_is_quiet_and_accessible_and_fits(
    path: str, device: str, request: pytest.FixtureRequest
) -> None:
    visit: Visit = request.getfixturevalue(device)
    visit.viewer.put(b"this is no notebook", "broken.ipynb")
    visit.viewer.put(OWN, "directory/" + "a-very-long-name-" * 8 + ".ipynb")
    visit.viewer.put(OWN, "a-very-long-name-" * 8 + ".ipynb")
    visit.to(path)
    visit.complaints[:] = [text for text in visit.complaints if "responded with a status of 4" not in text]
    visit.assert_quiet()
    visit.assert_fits()
    visit.assert_accessible()
    assert visit.page.locator("h1").count() == 1
    assert len(visit.requests) <= 3, visit.requests


def test_what_is_pasted_into_the_box_is_looked_for(visit: Visit) -> None:
    page = visit.to("/")
    box = page.get_by_label("Enter the address of a notebook")
    assert box.evaluate("(e) => e === document.activeElement")
    box.fill("http://127.0.0.1:9/private.ipynb")
    box.press("Enter")
    page.wait_for_url("**/url/127.0.0.1:9/private.ipynb")
    assert "This address is not fetched" in page.inner_text("main")


def test_a_notebook_that_is_dropped_on_the_page_is_shown(visit: Visit) -> None:
    page = visit.to("/")
    page.evaluate(DROP, [OWN.decode(), "mine.ipynb"])
    page.get_by_role("heading", name="From my own computer").wait_for()
    assert page.url == f"{visit.viewer.page}/upload"
    assert "mine.ipynb" in page.inner_text("main")
    assert page.locator("math").count() == 1
    visit.assert_quiet()
    visit.assert_accessible()


def test_something_else_that_is_dropped_changes_nothing(visit: Visit) -> None:
    page = visit.to("/")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text/plain", "words");
          document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: data }));
        }"""
    )
    page.wait_for_timeout(100)
    assert page.url == f"{visit.viewer.page}/"
    visit.assert_quiet()


def test_a_file_that_is_chosen_is_shown_at_once(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "chosen.ipynb").write_bytes(OWN)
    page = visit.to("/")
    page.get_by_label("Or drop a notebook here").set_input_files(tmp_path / "chosen.ipynb")
    page.get_by_role("heading", name="From my own computer").wait_for()


def test_without_a_script_the_form_does_the_same(plain: Visit, tmp_path: Path) -> None:
    (tmp_path / "chosen.ipynb").write_bytes(OWN)
    page = plain.to("/")
    page.get_by_label("Or drop a notebook here").set_input_files(tmp_path / "chosen.ipynb")
    page.locator(".upload button").click()
    page.get_by_role("heading", name="From my own computer").wait_for()


def test_slides_follow_one_another_and_show_their_frames(visit: Visit) -> None:
    page = visit.to("/format/slides" + visit.viewer.put(TALK))
    page.locator(".reveal.ready").wait_for()
    assert page.locator("h1", has_text="First slide").is_visible()
    assert not page.locator("h1", has_text="Third slide").is_visible()
    page.keyboard.press("ArrowRight")
    visit.frame().wait_for_selector(".bars .point path")
    page.keyboard.press("ArrowRight")
    assert page.locator("h1", has_text="Third slide").is_visible()
    page.emulate_media(media="print")
    assert page.locator("h1", has_text="First slide").is_visible()
    visit.assert_quiet()
    visit.assert_fits()


def test_a_slide_can_be_read_on_a_phone(phone: Visit) -> None:
    page = phone.to("/format/slides" + phone.viewer.put(TALK))
    page.locator(".reveal.ready").wait_for()
    box = page.locator("h1", has_text="First slide").bounding_box()
    assert box is not None
    assert box["height"] > 24
    phone.assert_fits()
    phone.assert_quiet()


def test_without_a_script_slides_stand_below_one_another(plain: Visit) -> None:
    page = plain.to("/format/slides" + plain.viewer.put(TALK))
    for text in ("First slide", "Third slide"):
        assert page.locator("h1", has_text=text).is_visible()
    assert page.locator("iframe.frame").count() == 1


@pytest.mark.parametrize("device", ["visit", "phone"])
def test_two_notebooks_stand_side_by_side_or_below_one_another(device: str, request: pytest.FixtureRequest) -> None:
    visit: Visit = request.getfixturevalue(device)
    old, new = (
        visit.viewer.put(notebook(markdown("# Beans"), code(f"days = {days}", stream(f"{days}\n"), PLOTLY)))
        for days in (7, 21)
    )
    page = visit.to("/diff")
    page.get_by_label("The older one").fill(old)
    page.get_by_label("The newer one").fill(new)
    page.get_by_role("button", name="Compare").click()
    before, after = (page.locator(f".row .{side}").first.bounding_box() for side in ("was", "is"))
    assert before is not None
    assert after is not None
    if device == "visit":
        assert (before["y"], before["x"]) < (after["y"] + 1, after["x"])
    else:
        assert before["y"] < after["y"]
    visit.assert_quiet()
    visit.assert_fits()
    visit.assert_accessible()


def test_a_file_that_has_just_come_is_in_the_listing_of_its_directory(visit: Visit) -> None:
    page = visit.to("/localfile/")
    visit.viewer.put(OWN, "listed.ipynb")
    page.reload()
    page.get_by_role("link", name="listed.ipynb").click()
    page.get_by_role("heading", name="From my own computer").wait_for()
    page.get_by_role("link", name="Local files").click()
    assert page.url == f"{visit.viewer.page}/localfile/"
    visit.assert_quiet()
