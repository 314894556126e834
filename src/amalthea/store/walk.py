"""List the objects of a directory tree in the order of their keys.

Keys are ordered by code point as a whole, and `/` sorts between other characters: `a-b` < `a/b` < `a0`. A
directory takes its place among its neighbours as its name with a `/` behind it, because that is what all keys
below it begin with; so walking each directory in that order gives the keys in theirs, with no more in memory
than the names of the directories on the way.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from amalthea.model.errors import InvalidKey
from amalthea.model.store import ObjectInfo, check_key
from amalthea.store.commit import etag
from amalthea.store.layout import directories, key_prefix, object_key
from amalthea.store.tree import Tree

_Names = tuple[str, ...]
_EPOCH = datetime.fromtimestamp(0, UTC)


def walk(root: Path, *, prefix: str, after: str) -> Iterator[ObjectInfo]:
    """Every object whose key starts with `prefix` and lies behind `after`. Raises `OSError`."""
    above, slash, _ = prefix.rpartition("/")
    if not slash:
        yield from _below(root, (), "", prefix, after)
        return
    with suppress(InvalidKey):  # where no key leads there is nothing to list
        names = directories(check_key(above).split("/"))
        yield from _below(root, names, above + slash, prefix, after)


def _below(root: Path, names: _Names, above: str, prefix: str, after: str) -> Iterator[ObjectInfo]:
    for key, name, info in _entries(root, names, above):
        if info is not None:
            if key.startswith(prefix) and key > after:
                yield info
        elif (key.startswith(prefix) or prefix.startswith(key)) and (key > after or after.startswith(key)):
            yield from _below(root, (*names, name), key, prefix, after)


def _entries(root: Path, names: _Names, above: str) -> list[tuple[str, str, ObjectInfo | None]]:
    """What a directory holds, in order: keys with their objects, and key prefixes with their directories."""
    found: list[tuple[str, str, ObjectInfo | None]] = []
    with Tree(root) as tree, suppress(FileNotFoundError), os.scandir(tree.directory(names)) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if (below := key_prefix(above, entry.name)) is not None:
                    found.append((below, entry.name, None))
            elif (key := object_key(above, entry.name)) is not None and (info := _info(key, entry)) is not None:
                found.append((key, entry.name, info))
    found.sort(key=lambda one: one[0])
    return found


def _info(key: str, entry: os.DirEntry[str]) -> ObjectInfo | None:
    try:
        state = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return ObjectInfo(
        key=key,
        size=state.st_size,
        etag=etag(state.st_mtime_ns, state.st_size),
        modified=_EPOCH + timedelta(microseconds=state.st_mtime_ns // 1000),
    )
