"""What grows while one notebook is rendered: headings, problems, formulas, the present cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from amalthea.services.nbviewer.render.cleaning import Cleaner
from amalthea.services.nbviewer.render.encoded import base64_or_none
from amalthea.services.nbviewer.render.limits import Limits
from amalthea.services.nbviewer.render.links import ID_PREFIX, Base
from amalthea.services.nbviewer.render.math.typesetting import Typesetter

_ATTACHED = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a rendering depends on, apart from the bytes.

    raw_base:      absolute URL, ending with `/`, that relative image sources resolve against
    link_base:     absolute path or URL that relative links resolve against
    content:       the origin that shows what runs scripts, such as `https://content.example.org`; without one
                   nothing does, and a notice stands in its place
    line_numbers:  whether code has them
    limits:        how much of a notebook is shown
    """

    raw_base: str = ""
    link_base: str = ""
    content: str = ""
    line_numbers: bool = False
    limits: Limits = msgspec.field(default_factory=Limits)


class Heading(msgspec.Struct, frozen=True):
    """A heading in the text: level 1 to 6, the id of its element, and its text."""

    level: int
    id: str
    text: str


class Frame(msgspec.Struct, frozen=True):
    """A whole HTML document that runs scripts; the content origin shows it at `/frame/<digest>`.

    digest:  sha256 of the body, as 64 hexadecimal digits
    """

    digest: str
    body: str


class Page:
    """The state of one rendering."""

    def __init__(self, options: Options, *, language: str = "python") -> None:
        self.options = options
        self.limits = options.limits
        self.language = language
        self.raw_base, self.link_base = Base(options.raw_base), Base(options.link_base)
        self.cleaner = Cleaner(raw_base=self.raw_base, link_base=self.link_base, attachment=self._attachment)
        self.typesetter = Typesetter(options.limits)
        self.headings: list[Heading] = []
        self.problems: list[str] = []
        self.frames: dict[str, Frame] = {}  # by digest
        self.tex = False  # whether a formula was left to the browser
        self.cell = 0
        self.attachments: Mapping[str, Any] = {}
        self.widgets: Mapping[str, Any] = {}  # the saved models of the notebook, by id
        self.loading: list[str] = []  # live HTML of earlier outputs that load libraries for later ones
        self.told: set[str] = set()  # notices that the present cell already shows
        self._attached = 0
        self._slugs: dict[str, int] = {}

    def enter(self, number: int, attachments: Mapping[str, Any]) -> None:
        """Begin with the next cell."""
        self.cell = number
        self.attachments = attachments
        self.told = set()

    def problem(self, text: str) -> None:
        """Note what could not be shown, and in which cell."""
        if len(self.problems) < self.limits.problems:
            self.problems.append(f"Cell {self.cell}: {text}" if self.cell else text)

    def heading(self, level: int, text: str) -> Heading | None:
        """Note a heading; its id is unique on the page and holds its text as Jupyter's links have it."""
        if len(self.headings) >= self.limits.headings:
            return None
        slug = "-".join(text.split())
        while (number := self._slugs.get(slug, -1) + 1) > 0:
            self._slugs[slug] = number
            slug = f"{slug}-{number}"
        self._slugs[slug] = 0
        made = Heading(level, ID_PREFIX + slug, text)
        self.headings.append(made)
        return made

    def _attachment(self, name: str) -> str | None:
        """The data URI of a file attached to the present cell, if it is an image."""
        found = self.attachments.get(name)
        if isinstance(found, dict):
            for kind in _ATTACHED:
                data = base64_or_none("".join(part for part in found.get(kind) or () if isinstance(part, str)))
                self._attached += len(data or "")
                if data and self._attached <= self.limits.attached:
                    return f"data:{kind};base64,{data}"
        self.problem(f'the attached image "{name[:80]}" is missing or no image')
        return None
