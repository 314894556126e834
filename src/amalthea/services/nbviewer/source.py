"""The contract of a source: from what a visitor asked for to a notebook, a listing, or another address.

A source knows one kind of address and nothing of pages. It says under which paths it stands, and answers
with one of four things; `viewing` makes a page of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import quote, unquote

import msgspec

from amalthea.services.nbviewer.errors import Missing

Read = Callable[[], Awaitable[bytes]]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 8192
_MOST_PARTS = 100


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as sources see it.

    `parts` are the parts of the path, decoded one by one, so that an encoded slash stays inside its part;
    `raw` is the path as it came, `query` what stood behind it. `flush` asks to check with the source now.
    """

    parts: tuple[str, ...]
    raw: str
    query: str = ""
    slash: bool = False
    flush: bool = False
    page: int = 1
    referer: str = ""


class Crumb(msgspec.Struct, frozen=True):
    """A step of the way to what is shown; `href` is empty for the last."""

    text: str
    href: str = ""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where people find it at its source: `View on <label>`."""

    label: str
    url: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a notebook is, in the words of those who run notebooks; what does not apply is empty.

    `kind` is `github`, `gist`, `gitlab` or `url`, `repo` a repository or the id of a gist, `url` the address of the
    file itself.
    """

    kind: str
    url: str = ""
    user: str = ""
    repo: str = ""
    ref: str = ""
    path: str = ""


class Launch(msgspec.Struct, frozen=True):
    """A place that runs the notebook: what its button says, and where it leads."""

    label: str
    url: str


class Chrome(msgspec.Struct, frozen=True, kw_only=True):
    """What a page says around a notebook or a listing. `stale` is why the copy may be old.

    Sources say in `place` what is to be launched; `path` (of the page, without its format) and `launch` are filled in
    by whoever asked them.
    """

    name: str
    crumbs: tuple[Crumb, ...] = ()
    origin: Origin | None = None
    place: Place | None = None
    path: str = ""
    launch: tuple[Launch, ...] = ()
    fetched: datetime | None = None
    checked: datetime | None = None
    stale: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook. `digest` changes when its bytes do; `read` brings them only when they are needed.

    `raw_base` is where its relative images are, `link_base` where its relative links lead. What is made of a `private`
    one is not written to the store, whose copies leave this machine.
    """

    chrome: Chrome
    digest: str
    read: Read
    private: bool = False
    raw_base: str = ""
    link_base: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a listing; `href` is empty where it leads nowhere."""

    kind: Literal["directory", "notebook", "file", "submodule", "repository"]
    name: str
    href: str = ""
    note: str = ""
    modified: datetime | None = None


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or a tag that the same listing can be seen at."""

    kind: Literal["branch", "tag"]
    name: str
    href: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A directory, a gist of several files, the repositories of a user."""

    chrome: Chrome
    entries: tuple[Entry, ...]
    refs: tuple[Ref, ...] = ()
    ref: str = ""
    note: str = ""
    previous: str = ""
    next: str = ""


class Moved(msgspec.Struct, frozen=True):
    """It is elsewhere: a path of this server, or a URL at the source."""

    location: str


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is not a notebook and may be shown as it is: `raw_files` knows its name."""

    name: str
    read: Read


Answer = Document | Listing | Moved | Raw


class Source(Protocol):
    """One kind of address. `paths` are Starlette's; of all sources' the first that fits wins."""

    @property
    def paths(self) -> Sequence[str]:
        """The patterns that lead here."""
        ...

    async def resolve(self, asked: Asked) -> Answer:
        """What stands there. Raises `SourceError`."""
        ...


def split(raw: str) -> tuple[str, ...]:
    """The parts of a raw path, decoded one by one. Raises `Missing` for what no source has.

    `.` and `..` would move about at the source, behind the checks made here. Every part becomes a link to all that
    stand before it, so there is an end to them.
    """
    parts = tuple(unquote(part) for part in raw.strip("/").split("/")) if len(raw) <= _LONGEST else ()
    if not 0 < len(parts) <= _MOST_PARTS:
        raise Missing("No path is this long.", where=f"{raw[:80]}…")
    if any(part in (".", "..") or _CONTROL.search(part) for part in parts):
        raise Missing("There is nothing under this path.", where=raw)
    return parts


def join(*parts: str) -> str:
    """A path of this server from parts that are not yet encoded."""
    return "/" + "/".join(quote(part, safe="@:~!$&'()*+,;=") for part in parts)


def in_order(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Directories, then notebooks, then the rest; each by name, numbers by value."""
    rank = {"directory": 0, "notebook": 1}
    return tuple(sorted(entries, key=lambda entry: (rank.get(entry.kind, 2), _natural(entry.name))))


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers by their length and then their digits, as Python reads none that is very long."""
    pieces = re.split(r"([0-9]+)", name.casefold())
    return tuple(_number(piece) if piece.isdecimal() and piece.isascii() else (1, 0, piece) for piece in pieces)


def _number(digits: str) -> tuple[int, int, str]:
    plain = digits.lstrip("0")
    return (0, len(plain), plain)


def is_notebook(name: str) -> bool:
    """Whether a file name is a notebook's."""
    return name.lower().endswith(".ipynb")
