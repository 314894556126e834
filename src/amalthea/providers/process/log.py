"""The log of one workload: the program's own words and the keeper's.

A keeper copies a log that grew too long to `.1` and cuts it to nothing. Whoever follows it finds the bytes
missed meanwhile at the same place in the copy.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from amalthea.model.errors import ProviderError
from amalthea.providers.process.keeper import LIVES, MARK

LIMIT = 8 * 2**20
"""Bytes above which a keeper rotates a log."""

LONGEST_LINE = 2**16
_BLOCK = 2**16
_LOOK_AGAIN_SECONDS = 0.2


class Log:
    """The log at `path`, and the one before it at `path` + `.1`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.older = path.with_name(path.name + ".1")

    def open(self) -> int:
        """A descriptor that appends; the directory is made where it is missing. Raises `ProviderError`."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise ProviderError(
                f"cannot write the log: {error.strerror}",
                where=str(self.path),
                hint="Make room on the disk, or let this user write there.",
            ) from error

    def last_ending(self) -> str:
        """What the keeper last said of a program that ended; nothing while the next one was not written down."""
        try:
            lines = _last_lines(self.path, 100).decode(errors="replace").splitlines()
        except OSError:
            return ""
        said = [line.partition(MARK)[2] for line in lines if MARK in line]
        if not said or said[-1].startswith(LIVES):
            return ""
        return "".join(c for c in said[-1] if c.isprintable())

    async def read(self, lines: int, *, follow: bool) -> AsyncIterator[str]:
        """The last `lines` lines, then each new one until cancelled. Raises `ProviderError` without a log."""
        seen, position = await asyncio.to_thread(self._end, lines)
        *whole, rest = seen.split(b"\n")
        for line in whole:
            yield _text(line)
        if not follow:
            if rest:
                yield _text(rest)
            return
        while True:
            new, position = await asyncio.to_thread(self._since, position)
            *whole, rest = (rest + new).split(b"\n")
            for line in whole:
                yield _text(line)
            if len(rest) > LONGEST_LINE:
                yield _text(rest)
                rest = b""
            if not new:
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    def _end(self, lines: int) -> tuple[bytes, int]:
        """The last lines, and the position behind them."""
        try:
            size = self.path.stat().st_size
            found = _last_lines(self.path, lines, size)
        except OSError as error:
            raise ProviderError(f"there is no log: {error.strerror}", where=str(self.path)) from error
        missing = lines - found.count(b"\n")
        if missing > 0:
            try:
                found = _last_lines(self.older, missing) + found
            except FileNotFoundError:
                return found, size
        return found, size

    def _since(self, position: int) -> tuple[bytes, int]:
        """What was written behind `position`, and the new position."""
        try:
            size = self.path.stat().st_size
            if size >= position:
                found = _read(self.path, position, min(size, position + LIMIT))
                return found, position + len(found)
            missed = _read(self.older, position, LIMIT * 2) if self.older.exists() else b""
            found = _read(self.path, 0, size)
            return missed + found, len(found)
        except FileNotFoundError:
            return b"", 0


def _text(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r")


def _read(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(max(0, end - start))


def _last_lines(path: Path, lines: int, size: int | None = None) -> bytes:
    """The last `lines` whole lines, and what stands behind the last of them."""
    end = path.stat().st_size if size is None else size
    start, found = end, b""
    while start > 0 and found.count(b"\n") <= lines:
        previous = max(0, start - _BLOCK)
        found = _read(path, previous, start) + found
        start = previous
    parts = found.split(b"\n")
    return b"\n".join(parts[-lines - 1 :] if lines > 0 else parts[-1:])
