"""What the front page says: from the settings, or from a file in the format that nbviewer has for it.

Such a file is JSON: `title`, `subtitle`, `text` (Markdown), `show_input`, and `sections` of links with `text`,
`target` and `img`. Targets may lack their first slash. An image is an address, or a file beside the JSON file, which
becomes part of the page; one that is not there is left out, as it was before it had a place here.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from pathlib import Path

import msgspec

from amalthea.model.errors import UsageError
from amalthea.services.nbviewer.pages.prose import prose
from amalthea.services.nbviewer.settings import Settings

FRONT_TEXT = "Enter the address of a notebook"
_LARGEST_IMAGE = 512 * 1024
_ELSEWHERE = re.compile(r"https?://")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A link: `image` is an address or a data URI, possibly empty."""

    text: str
    target: str
    note: str = ""
    image: str = ""


class Shelf(msgspec.Struct, frozen=True):
    """Links under a heading."""

    header: str
    cards: tuple[Card, ...]


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """The front page. `text` is safe HTML; `show_input` says whether there is a box to paste into."""

    title: str = "nbviewer"
    subtitle: str = ""
    text: str = ""
    show_input: bool = True
    shelves: tuple[Shelf, ...] = ()


class _Link(msgspec.Struct, frozen=True):
    text: str
    target: str
    img: str = ""


class _Section(msgspec.Struct, frozen=True):
    header: str = ""
    links: tuple[_Link, ...] = ()


class _File(msgspec.Struct, frozen=True):
    title: str = "nbviewer"
    subtitle: str = ""
    text: str = ""
    show_input: bool = True
    sections: tuple[_Section, ...] = ()


def front(settings: Settings) -> Front:
    """The front page as it is declared. Raises `UsageError` for a file that cannot be used."""
    if settings.frontpage:
        return _of_file(Path(settings.frontpage))
    shelves = tuple(
        Shelf(s.header, tuple(Card(text=link.text, target=link.target, note=link.note) for link in s.links))
        for s in settings.sections
    )
    return Front(subtitle=settings.subtitle, shelves=shelves)


def _of_file(path: Path) -> Front:
    try:
        said = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise UsageError(
            f"cannot read this file: {error.strerror}", where=f"services.nbviewer.frontpage: {path}"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            str(error),
            where=f"services.nbviewer.frontpage: {path}",
            hint="It is JSON with title, subtitle, text, show_input and sections.",
        ) from None
    return Front(
        title=said.title,
        subtitle=said.subtitle,
        text=prose(said.text).body if said.text else "",
        show_input=said.show_input,
        shelves=tuple(
            Shelf(section.header, tuple(_card(link, path.parent) for link in section.links))
            for section in said.sections
        ),
    )


def _card(link: _Link, directory: Path) -> Card:
    target = link.target if _ELSEWHERE.match(link.target) else "/" + link.target.lstrip("/")
    return Card(text=link.text, target=target, image=_image(link.img, directory))


def _image(said: str, directory: Path) -> str:
    if not said or said.startswith("https://"):
        return said
    path = directory / said.lstrip("/")
    kind = mimetypes.guess_type(path.name)[0] or ""
    inside = path.resolve().is_relative_to(directory.resolve())
    if not inside or not kind.startswith("image/") or not path.is_file() or path.stat().st_size > _LARGEST_IMAGE:
        return ""
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
