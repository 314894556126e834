"""Which file of a directory holds which key.

The parts of a key become directories and a file, so that a person can look around. Since `a` and `a/b` are
both keys, a directory has to differ in name from a file: it ends in `.d`. An object whose own last part ends
in `.d` or `.o` gets another `.o` behind it, so no two keys share a file and every file tells its key:

    status/2016-12-13.json  ->  status.d/2016-12-13.json
    nginx/conf.d            ->  nginx.d/conf.d.o
    nginx/conf.d/default    ->  nginx.d/conf.d.d/default

No part of a key begins with a dot, so `.tmp` is free for what is not yet an object.
"""

from __future__ import annotations

from amalthea.model.errors import InvalidKey
from amalthea.model.store import check_key

TEMPORARY = ".tmp"
"""The directory for files being written; never part of a key."""

_DIRECTORY = ".d"
_OBJECT = ".o"


def place(key: str) -> tuple[tuple[str, ...], str]:
    """The names of the directories, outermost first, and of the file. Raises `InvalidKey`."""
    *parents, last = check_key(key).split("/")
    escaped = last + _OBJECT if last.endswith((_DIRECTORY, _OBJECT)) else last
    return directories(parents), escaped


def directories(parts: list[str]) -> tuple[str, ...]:
    """The directories for parts of a key."""
    return tuple(part + _DIRECTORY for part in parts)


def object_key(above: str, file: str) -> str | None:
    """The key of a file in the directory whose keys begin with `above`; None for a file that is no object."""
    if file.endswith(_DIRECTORY):
        return None
    key = above + file.removesuffix(_OBJECT)
    try:
        return key if place(key)[1] == file else None
    except InvalidKey:
        return None


def key_prefix(above: str, directory: str) -> str | None:
    """What all keys in a directory begin with; None for a directory that is not the store's."""
    part = directory.removesuffix(_DIRECTORY)
    return f"{above}{part}/" if part and part != directory and not part.startswith(".") else None
