"""Which files are worth keeping, and which of them there is room for.

Left out are directories that can be made or installed again, and those that change with every cell that runs. In
`.local` are packages that `pip --user` installed, and the keys of running servers, which have no business in a store;
in `.ipython` a database of every input; a checkpoint is an older copy of the notebook beside it. `.git`, `.jupyter` and
`.config` stay: they are somebody's work, or how he likes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from amalthea.model.spawner import HomeFile
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.paths import directories, is_fit
from amalthea.services.tmpnb.work.snapshot import MOST_OMISSIONS, Omission
from amalthea.services.tmpnb.work.why import Why

ANYWHERE = frozenset({"__pycache__", ".ipynb_checkpoints", ".venv", "node_modules"})
AT_THE_TOP = frozenset({".cache", ".conda", ".ipython", ".local", ".npm"})
_SHOWN = 1000


class Choice(msgspec.Struct, frozen=True):
    """What to keep, and what not, one by one; `summary` says it shorter."""

    files: list[HomeFile]
    omitted: list[Omission]


def choose(found: Sequence[HomeFile], bounds: Bounds) -> Choice:
    """What goes into a snapshot: when not all has room, the smallest files first, of about one size the newest."""
    worth = worthwhile(found, bounds)
    kept, room = list[HomeFile](), int(bounds.total)
    for file in sorted(worth.files, key=_urgency):
        if len(kept) < bounds.files and file.size <= room:
            kept.append(file)
            room -= file.size
        else:
            worth.omitted.append(omission(file, Why.ROOM))
    return Choice(kept, worth.omitted)


def worthwhile(found: Sequence[HomeFile], bounds: Bounds) -> Choice:
    """Each file by itself: no cache, not too large, of a fit name."""
    above = directories(file.path for file in found)
    worth = Choice([], [])
    for file in found:
        if cache := cache_above(file.path):
            worth.omitted.append(Omission(path=shown(cache), why=Why.CACHE, size=file.size))
        elif why := _objection(file, above, bounds):
            worth.omitted.append(omission(file, why))
        else:
            worth.files.append(file)
    return worth


def _objection(file: HomeFile, above: set[str], bounds: Bounds) -> Why | None:
    if not is_fit(file.path):
        return Why.NAME
    if file.size > bounds.file:
        return Why.LARGE
    return Why.CHANGING if file.path in above else None


def _urgency(file: HomeFile) -> tuple[int, int, str]:
    return file.size.bit_length(), -file.modified, file.path


def cache_above(path: str) -> str:
    """The directory above it that is not worth keeping, with a slash, or ""."""
    parts = path.split("/")[:-1]
    if parts and parts[0] in AT_THE_TOP:
        return f"{parts[0]}/"
    deep = next((i for i, part in enumerate(parts) if part in ANYWHERE), None)
    return "/".join(parts[: deep + 1]) + "/" if deep is not None else ""


def omission(file: HomeFile, why: Why) -> Omission:
    """That a file is left out."""
    return Omission(path=shown(file.path), why=why, size=file.size)


def shown(path: str) -> str:
    """A path for people to read, whatever is in it."""
    text = path if is_fit(path.removesuffix("/")) else ascii(path)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def summary(omitted: Iterable[Omission]) -> tuple[Omission, ...]:
    """One line for each place and reason; of very many, those of one reason are one line. Caches come last."""
    added = _added(omitted)
    lines = sorted(added, key=lambda line: (line.why is Why.CACHE, line.path, line.why))
    rest = _added(msgspec.structs.replace(line, path="") for line in lines[MOST_OMISSIONS:])
    return (*lines[:MOST_OMISSIONS], *rest)


def _added(omitted: Iterable[Omission]) -> list[Omission]:
    sums: dict[tuple[str, Why], tuple[int, int]] = {}
    for line in omitted:
        files, size = sums.get((line.path, line.why), (0, 0))
        sums[line.path, line.why] = files + line.files, size + line.size
    return [Omission(path=path, why=why, files=files, size=size) for (path, why), (files, size) in sums.items()]
