"""What a path in a snapshot or an archive may be.

It has to mean the same file on every system that a visitor may unpack it on, and nothing outside of the directory it
is unpacked into. Names come from whatever ran in the session, and manifests from other sites: neither is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PATH_BYTES = 1024
PART_BYTES = 255
DEPTH = 32
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE = re.compile(r"[A-Za-z]:")


def is_fit(path: str) -> bool:
    """Whether it is relative, of parts that are names, and short enough: 32 parts, 255 bytes each, 1024 in all.

    Control characters, backslashes and drive letters are not fit: elsewhere they mean something else.
    """
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return False
    parts = path.split("/")
    return size <= PATH_BYTES and len(parts) <= DEPTH and not _DRIVE.match(path) and all(map(_is_name, parts))


def _is_name(part: str) -> bool:
    return part not in ("", ".", "..") and not _UNFIT.search(part) and len(part.encode()) <= PART_BYTES


def directories(paths: Iterable[str]) -> set[str]:
    """Every directory above one of the paths: none of them can be a file as well."""
    found = set[str]()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in found:
            found.add(path)
    return found
