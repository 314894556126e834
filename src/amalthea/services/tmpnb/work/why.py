"""Why a file is not where its visitor may look for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Why(StrEnum):
    """Why a file is not in a snapshot, in an archive or in a home; `text` says it to its visitor."""

    CACHE = "cache"
    LARGE = "large"
    ROOM = "room"
    NAME = "name"
    CHANGING = "changing"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"

    @property
    def text(self) -> str:
        """The reason, in words that follow the name of the file."""
        return _TEXTS[self]


_TEXTS: Mapping[Why, str] = {
    Why.CACHE: "can be made or installed again",
    Why.LARGE: "is too large",
    Why.ROOM: "found no room beside smaller and newer files",
    Why.NAME: "has a name that other systems cannot keep",
    Why.CHANGING: "changed while it was read",
    Why.UNREADABLE: "could not be read",
    Why.MISSING: "is no longer kept",
    Why.DAMAGED: "is damaged where it was kept",
    Why.UNREACHABLE: "is kept where nobody answers just now",
    Why.REFUSED: "could not be written",
}
