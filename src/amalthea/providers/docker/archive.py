"""Archives of a home. Whoever made one is a stranger: only plain files count, under paths plainly below the home."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator, Sequence
from typing import IO

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import HomeFile
from amalthea.providers.docker.paths import parts

_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


def _members(archive: IO[bytes]) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, str]]:
    """Every plain file once, with its path; a later one of the same name is not looked at."""
    archive.seek(0)
    seen: set[str] = set()
    try:
        with tarfile.open(fileobj=archive, mode="r:") as opened:
            for member in opened:
                path = member.name.removeprefix("./")
                if member.type in _PLAIN and _plain(path) and path not in seen:
                    seen.add(path)
                    yield opened, member, path
    except tarfile.TarError as error:
        raise ProviderError(f"its files cannot be read: {error}") from error


def _plain(path: str) -> bool:
    try:
        parts(path)
        path.encode()
    except (ProviderError, UnicodeEncodeError):
        return False
    return True


def listed(archive: IO[bytes]) -> list[HomeFile]:
    """Its plain files, ordered by path. Raises `ProviderError` for what is no archive."""
    files = [
        HomeFile(path=path, size=member.size, modified=int(member.mtime * 10**9), executable=bool(member.mode & 0o100))
        for _, member, path in _members(archive)
    ]
    return sorted(files, key=lambda one: one.path)


def picked(archive: IO[bytes], name: str, most: int) -> bytes:
    """What one of them holds; `ProviderError` when it is not there, or longer than `most` bytes."""
    for opened, member, path in _members(archive):
        if path == name:
            body = opened.extractfile(member) if member.size <= most else None
            if body is None:
                raise ProviderError(f"the file has more than {most} bytes", where=name)
            return body.read(most)
    raise ProviderError("there is no such plain file", where=name)


def pack(words: Sequence[str], body: bytes, executable: bool) -> bytes:
    """An archive of one file, and of the directories above it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for depth in range(1, len(words)):
            above = tarfile.TarInfo("/".join(words[:depth]))
            above.type, above.mode, above.mtime = tarfile.DIRTYPE, 0o755, int(time.time())
            archive.addfile(above)
        member = tarfile.TarInfo("/".join(words))
        member.size, member.mode, member.mtime = len(body), 0o755 if executable else 0o644, int(time.time())
        archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()
