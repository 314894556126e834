"""`/localfile/…`: the notebooks, pictures and texts below one directory, where the fleet file names one.

A path is resolved with every link followed, and must still lie below the directory. Names that begin with a
dot or an underscore do not exist here, nor do files that not every user of the machine may read.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from amalthea.services.nbviewer.content.raw_files import media_type
from amalthea.services.nbviewer.errors import Missing, TooLarge
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import (
    Answer,
    Asked,
    Chrome,
    Crumb,
    Document,
    Entry,
    Listing,
    Moved,
    Raw,
    Read,
    in_order,
    is_notebook,
    join,
)


class LocalSource:
    """Files below `settings.local`."""

    paths = ("/localfile", "/localfile/{rest:path}")

    def __init__(self, settings: Settings) -> None:
        self._root = Path(settings.local).resolve()
        self._any_user = settings.local_any_user
        self._limit = int(settings.notebook_limit)

    async def resolve(self, asked: Asked) -> Answer:
        """A listing, a notebook, a picture or text."""
        return await asyncio.to_thread(self._resolve, asked)

    def _resolve(self, asked: Asked) -> Answer:
        parts = tuple(part for part in asked.parts[1:] if part)
        path = self._checked(parts, asked.raw)
        if path.is_dir():
            return self._listing(path, parts) if asked.slash else Moved(f"{asked.raw}/{asked.query}")
        if is_notebook(path.name):
            return self._notebook(path, parts)
        if media_type(path.name) is not None:
            return Raw(name=path.name, read=self._reader(path))
        raise _missing(asked.raw)

    def _checked(self, parts: tuple[str, ...], raw: str) -> Path:
        """The real path of what was asked for. Raises `Missing` for all that is not shown."""
        if any(_hidden(part) or "/" in part or "\\" in part for part in parts):
            raise _missing(raw)
        try:
            path = self._root.joinpath(*parts).resolve(strict=True)
            if not self._shown(path):
                raise _missing(raw)
        except (OSError, ValueError, RuntimeError):
            raise _missing(raw) from None
        return path

    def _shown(self, path: Path) -> bool:
        """Whether the real path lies below the root, with no hidden part, and everybody may read it."""
        if not path.is_relative_to(self._root):
            return False
        below = path.relative_to(self._root).parts
        ways = [self._root.joinpath(*below[: depth + 1]) for depth in range(len(below))]
        return not any(_hidden(part) for part in below) and all(self._readable(way) for way in ways)

    def _readable(self, path: Path) -> bool:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return self._any_user or bool(mode & stat.S_IXOTH)
        return stat.S_ISREG(mode) and (self._any_user or bool(mode & stat.S_IROTH))

    def _listing(self, path: Path, parts: tuple[str, ...]) -> Listing:
        try:
            names = [name for name in os.listdir(path) if name.isprintable()]
        except OSError:
            raise _missing(join("localfile", *parts)) from None
        found = (self._entry(path / name, (*parts, name)) for name in names)
        entries = [entry for entry in found if entry is not None]
        name = parts[-1] if parts else "Local files"
        return Listing(chrome=Chrome(name=name, crumbs=_crumbs(parts)), entries=in_order(entries))

    def _entry(self, path: Path, parts: tuple[str, ...]) -> Entry | None:
        try:
            real = self._checked(parts, path.name)
            modified = datetime.fromtimestamp(int(real.stat().st_mtime), UTC)
        except (Missing, OSError):
            return None
        if real.is_dir():
            return Entry(kind="directory", name=path.name, href=join("localfile", *parts, ""), modified=modified)
        if is_notebook(path.name):
            return Entry(kind="notebook", name=path.name, href=join("localfile", *parts), modified=modified)
        return None

    def _notebook(self, path: Path, parts: tuple[str, ...]) -> Document:
        found = path.stat()
        identity = f"{path}\0{found.st_ino}\0{found.st_size}\0{found.st_mtime_ns}"

        directory = join("localfile", *parts[:-1], "")
        return Document(
            chrome=Chrome(
                name=parts[-1],
                crumbs=_crumbs(parts),
                fetched=datetime.fromtimestamp(int(found.st_mtime), UTC),
            ),
            digest=hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest(),
            read=self._reader(path),
            private=True,
            raw_base=directory,
            link_base=directory,
        )

    def _reader(self, path: Path) -> Read:
        async def read() -> bytes:
            return await asyncio.to_thread(_read, path, self._limit)

        return read


def _hidden(part: str) -> bool:
    return part.startswith((".", "_"))


def _missing(where: str) -> Missing:
    return Missing("There is no notebook or directory under this path.", where=where)


def _read(path: Path, limit: int) -> bytes:
    """The whole file. Raises `TooLarge`, and `Missing` where it has gone."""
    try:
        with open(path, "rb", opener=_open_plain) as file:
            body = file.read(limit + 1)
    except OSError:
        raise _missing(path.name) from None
    if len(body) > limit:
        raise TooLarge(f"More than the {limit >> 20} MiB that this server shows.", where=path.name)
    return body


def _open_plain(path: str, flags: int) -> int:
    """Open without following a link or waiting for a pipe that has taken the file's place since it was judged."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _crumbs(parts: tuple[str, ...]) -> tuple[Crumb, ...]:
    ways = [Crumb(part, join("localfile", *parts[: depth + 1], "")) for depth, part in enumerate(parts[:-1])]
    last = (Crumb(parts[-1]),) if parts else ()
    return (Crumb("Local files", join("localfile", "")), *ways, *last)
