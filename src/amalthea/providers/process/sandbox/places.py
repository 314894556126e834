"""Where a process stands in the mounted cgroup hierarchies, as `/proc` tells it.

A machine may have one tree with all controllers (v2), one tree for each of them (v1), or some of both. A tree may be
mounted from its middle, as in a container, so a directory is found from the mount's root and the process's path
together, never assumed. The functions here are pure.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

import msgspec

_ESCAPED = re.compile(r"\\([0-7]{3})")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One cgroup: a directory of one hierarchy. `controllers` is empty for v2, whose directories name their own.

    `top` means that nothing above it is mounted.
    """

    version: int
    controllers: frozenset[str]
    directory: str
    top: bool = False


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted hierarchy: `root` is the cgroup that is seen at the directory `point`."""

    version: int
    controllers: frozenset[str]
    root: str
    point: str


def mounts(mountinfo: str) -> list[Mount]:
    """The cgroup hierarchies in the text of `/proc/self/mountinfo`, in its order."""
    found = (_mount(line) for line in mountinfo.splitlines())
    return [one for one in found if one is not None]


def _mount(line: str) -> Mount | None:
    before, separator, after = line.partition(" - ")
    fields, kinds = before.split(" "), after.split(" ")
    if not separator or len(fields) < 6 or len(kinds) < 3 or kinds[0] not in ("cgroup", "cgroup2"):
        return None
    unified = kinds[0] == "cgroup2"
    return Mount(
        version=2 if unified else 1,
        controllers=frozenset() if unified else frozenset(kinds[2].split(",")),
        root=_unescaped(fields[3]),
        point=_unescaped(fields[4]),
    )


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def paths(cgroup: str) -> dict[str, str]:
    """The path of a process below each controller, from the text of `/proc/<pid>/cgroup`; v2's is below `""`."""
    found = {}
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers or number == "0":
            found.update(dict.fromkeys(controllers.split(","), path))
    return found


def places(mountinfo: str, cgroup: str) -> list[Place]:
    """The own cgroup of a process in each hierarchy that shows it; the last mount at a directory covers the others."""
    own = paths(cgroup)
    found = {place.directory: place for mount in mounts(mountinfo) if (place := _place(mount, own)) is not None}
    return list(found.values())


def _place(mount: Mount, own: dict[str, str]) -> Place | None:
    key = next(iter(mount.controllers & own.keys()), None) if mount.version == 1 else ""
    path = own.get(key) if key is not None else None
    below = None if path is None else _below(path, mount.root)
    if below is None:
        return None
    return Place(
        version=mount.version,
        controllers=mount.controllers,
        directory=posixpath.normpath(posixpath.join(mount.point, below)),
        top=not below,
    )


def _below(path: str, root: str) -> str | None:
    """How to get from `root` down to `path`, or None where it is not below; `/..` names what a namespace hides."""
    if ".." in path.split("/") or ".." in root.split("/"):
        return None
    inside = posixpath.relpath(path, root)
    if inside == ".":
        return ""
    return None if inside.split("/")[0] == ".." else inside


def first(found: Iterable[Place], controller: str) -> Place | None:
    """Where v1 keeps this controller, or None."""
    return next((place for place in found if place.version == 1 and controller in place.controllers), None)


def unified(found: Iterable[Place]) -> Place | None:
    """Where v2 is, or None."""
    return next((place for place in found if place.version == 2), None)
