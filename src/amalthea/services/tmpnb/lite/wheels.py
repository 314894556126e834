"""Wheels as they are sent: not compressed inside, for brotli over all of a wheel is an eighth smaller in sum."""

from __future__ import annotations

import io
import json
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.fetching import sha256
from amalthea.services.tmpnb.lite.pins import Wheel, normalized

_EPOCH = (1980, 1, 1, 0, 0, 0)
_NEEDED = re.compile(r"[A-Za-z0-9._-]+")


def stored(archive: bytes) -> bytes:
    """The same archive with its files as they are, the same bytes each time."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _EPOCH), old.read(name))
    return made.getvalue()


def kernel_wheels(index: Path) -> list[Wheel]:
    """The wheels that the kernel's own package carries, the newest of each; `index` is its `all.json`.

    Raises `BuildFailed` for a dependency that holds in some places only: it would have to be judged here.
    """
    return [_newest(name, known["releases"], index) for name, known in sorted(json.loads(index.read_text()).items())]


def _newest(name: str, releases: dict[str, list[dict[str, str]]], index: Path) -> Wheel:
    version = max(releases, key=lambda text: [int(part) for part in re.findall(r"\d+", text)])
    file = releases[version][0]["filename"]
    return Wheel(
        name=normalized(name),
        version=version,
        file=file,
        sha256=sha256((index.parent / file).read_bytes()),
        depends=_depends(index.parent / file),
        imports=(name.replace("-", "_"),),
    )


def _depends(path: Path) -> tuple[str, ...]:
    with zipfile.ZipFile(path) as opened:
        about = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        needed = HeaderParser().parsestr(opened.read(about).decode()).get_all("Requires-Dist") or []
    if any(";" in text for text in needed):
        raise BuildFailed("a dependency with a condition", where=path.name)
    found = (_NEEDED.match(text) for text in needed)
    return tuple(sorted(normalized(match[0]) for match in found if match))
