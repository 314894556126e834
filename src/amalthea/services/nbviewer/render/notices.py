"""What stands in the place of something that is not shown. A notice says what and why; problems list them once more."""

from __future__ import annotations

from amalthea.services.nbviewer.render import escape
from amalthea.services.nbviewer.render.page import Page


def notice(text: str) -> str:
    """A sentence of ours in the place of something."""
    return f'<p class="note">{escape.text(text)}</p>'


def once(text: str, page: Page) -> str:
    """The same, but only once in a cell, and listed as a problem."""
    if text in page.told:
        return ""
    page.told.add(text)
    page.problem(text)
    return notice(text)


def interactive(kind: str, page: Page) -> str:
    """For an output that needs a program in the browser; `kind` is who made it, such as `Plotly`."""
    return once(f"This output is interactive ({kind}); it is not run here.", page)


def left_out(removed: tuple[str, ...], page: Page) -> str:
    """For what cleaning took out of HTML."""
    return once(f"Left out here: {', '.join(removed)}.", page) if removed else ""


def too_long(text: str, page: Page, limit: int) -> str:
    """For a text that is too long to be worked on: its beginning, as it is."""
    page.problem(f"a text of {len(text):,} characters is cut")
    said = notice(f"The first {limit:,} of {len(text):,} characters, as plain text.")
    return f"{said}<pre>{escape.text(text[:limit])}</pre>"


def too_tangled(text: str, page: Page) -> str:
    """For HTML that no parser should be given: its source."""
    page.problem("HTML that is nested too deeply is shown as its source")
    said = notice("This HTML is nested too deeply to be shown; here is its source.")
    return f"{said}<pre>{escape.text(text[:20_000])}</pre>"
