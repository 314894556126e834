"""How much of a notebook one page shows.

A notebook is a stranger's file: each of these numbers stops one way of making a page that is endless, or that
takes a renderer minutes. What goes over is left out with a notice in its place, never with an error.
"""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Upper bounds; lengths are in characters."""

    cells: int = 10_000
    outputs: int = 500  # of one cell, after neighbouring streams are joined
    source: int = 1_000_000  # of one cell
    highlighted: int = 200_000  # of one cell; longer code is shown without colours
    text: int = 1_000_000  # one stream, traceback, plain text or JSON
    html: int = 4_000_000  # one HTML output or Markdown text, embedded images not counted
    image: int = 24_000_000  # one embedded image, as base64
    formula: int = 4_000
    formulas: int = 60_000  # all the TeX of a notebook that is typeset
    typeset: int = 5_000_000  # all the MathML of a page: a formula of two letters can stand for a long one
    attached: int = 100_000_000  # all the images of a page that come from attachments, each time they are shown
    headings: int = 2_000  # with an id
    problems: int = 50
    frames: int = 500  # of a page
    frame: int = 32_000_000  # one frame's document
    framed: int = 128_000_000  # all the documents of a page
