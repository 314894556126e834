"""A zip, piece by piece, while its files are still being fetched: never more of it in memory than one file.

The same files give the same bytes. Names are UTF-8, the executable keep their mode, and an archive or a number of files
that the old format does not hold is told in the newer one (ZIP64). What could not be packed is told in a file.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from amalthea.services.tmpnb.work.blobs import aside
from amalthea.services.tmpnb.work.snapshot import Omission

NOTE = "not-in-this-archive.txt"
_PIECE = 2**18
_UNIX = 3
_PLAIN, _EXECUTABLE = 0o100644, 0o100755
_PROBE = 2**16
_QUICK, _COPIED = 1, 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an archive; its path has to be fit."""

    path: str
    body: bytes
    executable: bool
    modified: datetime


class _Pieces:
    """What the zip has written and nobody has taken yet. It cannot be gone back in, so the zip does without."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, some: bytes, /) -> int:
        self._waiting += some
        return len(some)

    def flush(self) -> None:
        """Nothing stands behind it."""

    def close(self) -> None:
        """Nothing stands behind it."""

    def taken(self) -> Iterator[bytes]:
        waiting, self._waiting = memoryview(self._waiting), bytearray()
        for start in range(0, len(waiting), _PIECE):
            yield bytes(waiting[start : start + _PIECE])


async def zipped(entries: AsyncIterator[Entry], omitted: Sequence[Omission]) -> AsyncGenerator[bytes, None]:
    """The archive in pieces of 256 KiB at most. `omitted` may grow while `entries` are asked for."""
    pieces, names = _Pieces(), set[str]()
    newest = datetime(1980, 1, 1, tzinfo=UTC)
    with ZipFile(pieces, "w", ZIP_DEFLATED) as archive:
        async for entry in entries:
            names.add(entry.path)
            newest = max(newest, entry.modified)
            await _added(archive, entry)
            for piece in pieces.taken():
                yield piece
        if omitted:
            _add(archive, Entry(path=_free(names), body=note(omitted), executable=False, modified=newest))
    for piece in pieces.taken():
        yield piece


async def _added(archive: ZipFile, entry: Entry) -> None:
    """Add an entry, to the end even when cancelled: an archive cannot be closed while a thread writes to it."""
    adding = asyncio.ensure_future(aside(len(entry.body), _add, archive, entry))
    try:
        await asyncio.shield(adding)
    except asyncio.CancelledError:
        await asyncio.wait({adding})
        raise


def _add(archive: ZipFile, entry: Entry) -> None:
    info = ZipInfo(entry.path, _date(entry.modified))
    info.create_system = _UNIX
    info.external_attr = (_EXECUTABLE if entry.executable else _PLAIN) << 16
    archive.writestr(info, entry.body, ZIP_DEFLATED, compresslevel=_level(entry.body))


def _level(body: bytes) -> int:
    """Images and archives do not pack: to try it would take most of the time of all."""
    probe = body[:_PROBE]
    return _QUICK if len(zlib.compress(probe, _QUICK)) < 0.95 * len(probe) else _COPIED


def _date(when: datetime) -> tuple[int, int, int, int, int, int]:
    """The format knows the years 1980 to 2107, and no time zones: UTC."""
    utc = when.astimezone(UTC)
    return min(max(utc.year, 1980), 2107), utc.month, utc.day, utc.hour, utc.minute, utc.second


def _free(names: set[str]) -> str:
    """A name for the note that no file has."""
    name = NOTE
    while name in names:
        name = f"_{name}"
    return name


def note(omitted: Sequence[Omission]) -> bytes:
    """What is not in the archive and why, as text."""
    lines = ["These files are not in this archive:", ""]
    for line in omitted:
        many = f" ({line.files} files)" if line.files > 1 else ""
        lines.append(f"{line.path or 'some more'}{many} {line.why.text}")
    return "\r\n".join([*lines, ""]).encode()
