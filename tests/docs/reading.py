"""The documentation as data: pages, the code blocks in them, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)|^```\{image\} (\S+)$", re.MULTILINE)


class Block(NamedTuple):
    """One code block: where it begins, its language, its text."""

    place: str
    language: str
    text: str


def pages() -> list[Path]:
    """Everything written for people."""
    written = (page for page in DOCS.rglob("*.md") if "_build" not in page.parts)
    return sorted([*ROOT.glob("*.md"), *written])


def page(name: str) -> str:
    """The text of one page below `docs`."""
    return (DOCS / name).read_text()


def blocks(*languages: str) -> list[Block]:
    """The code blocks of some languages on all pages."""
    return [block for path in pages() for block in _blocks(path) if block.language in languages]


def _blocks(path: Path) -> Iterator[Block]:
    text = path.read_text()
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{path.relative_to(ROOT)}:{line}", found[1], found[2])


def links(path: Path) -> list[str]:
    """Where the links and pictures of a page lead."""
    return [found[1] or found[2] for found in _LINK.finditer(path.read_text())]
