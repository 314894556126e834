"""Files out of a stranger's zip archive, within bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

import msgspec

from amalthea.services.tmpnb.errors import BadRepository

_DEEPEST = 30
_LONGEST = 240
_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_LINE_BYTES = 300
_FEW = 1000


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """One file, by its relative path."""

    path: str
    body: bytes
    executable: bool


def unpacked(archive: bytes, *, files: int, size: int) -> Iterator[Unpacked]:
    """Its plain files, without the directory that all of them are in. Raises `BadRepository`.

    At most so many `files`, with so many bytes in all: what an archive says of itself is not believed.
    """
    _check_list(archive, files)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            left = size
            for info in _plain(opened, files):
                path = _inside(info.filename)
                if path is None:
                    continue
                if info.compress_type not in _METHODS:  # which forges do not use, and which need memory as they say
                    raise BadRepository("The archive of the repository is packed in an uncommon way.")
                with opened.open(info) as member:
                    body = member.read(left + 1)
                left -= len(body)
                if left < 0:
                    raise BadRepository("The repository is larger than a notebook server's disk.")
                yield Unpacked(path=path, body=body, executable=bool(info.external_attr >> 16 & 0o100))
    except BadRepository:
        raise
    except Exception as error:  # zipfile raises all kinds of them for what strangers make
        raise BadRepository("The archive of the repository is damaged.") from error


def _check_list(archive: bytes, most: int) -> None:
    """Raises `BadRepository` where the list of files alone, which is read whole, would fill the memory."""
    end = archive.rfind(_END)
    size = int.from_bytes(archive[end + 12 : end + 16], "little")
    if end < 0 or end + _END_BYTES > len(archive):
        raise BadRepository("The archive of the repository is damaged.")
    if archive[:end][-_LOCATOR_BYTES:].startswith(_LOCATOR) or size > max(most, _FEW) * _LINE_BYTES:
        raise BadRepository(f"The repository has too many files; a notebook server has room for {most}.")


def _plain(opened: zipfile.ZipFile, most: int) -> list[zipfile.ZipInfo]:
    found = [info for info in opened.infolist() if not info.is_dir() and _is_file(info)]
    if len(found) > most:
        raise BadRepository(f"The repository has {len(found)} files; a notebook server has room for {most}.")
    return found


def _is_file(info: zipfile.ZipInfo) -> bool:
    kind = info.external_attr >> 16 & 0o170000
    return kind in (0, 0o100000)


def _inside(name: str) -> str | None:
    """The path below the archive's one directory; None for what would lead out of it."""
    path = PurePosixPath(name)
    parts = path.parts[1:]
    usable = parts and not path.is_absolute() and ".." not in path.parts and "\0" not in name and len(parts) <= _DEEPEST
    return "/".join(parts) if usable and all(len(part.encode()) <= _LONGEST for part in parts) else None
