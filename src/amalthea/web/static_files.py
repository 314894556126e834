"""Static files from memory, under names that hold their hash, so that browsers may keep them for ever.

Whoever makes pages only needs the names; a file is compressed when it is first asked for.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from importlib.resources import files

import msgspec

FOREVER = "public, max-age=31536000, immutable"
PREFIX = "/static/"
_COMPRESSIBLE = ("text/", "application/javascript", "image/svg+xml")


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    body: bytes
    media_type: str


class StaticFiles:
    """The files in the `static` directories of some packages, by hashed name; later packages win.

    `base` is the path that the application lies below.
    """

    def __init__(self, *packages: str, base: str = "/") -> None:
        self._prefix = base.rstrip("/") + PREFIX
        self.urls: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        self._bodies: dict[str, bytes] = {}
        self._gzipped: dict[str, bytes | None] = {}
        for package in packages:
            for file in files(package).joinpath("static").iterdir():
                self._add(file.name, file.read_bytes())

    def _add(self, name: str, body: bytes) -> None:
        self._bodies[name] = body
        stem, _, suffix = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._assets[hashed] = Asset(body=body, media_type=media_type)
        self.urls[name] = self._prefix + hashed

    def join(self, name: str, *parts: str) -> None:
        """One more file, made of others, so that a page needs one request for all of them."""
        self._add(name, b"\n".join(self._bodies[part] for part in parts))

    def data_url(self, name: str) -> str:
        """A small file as an address that needs no request."""
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return f"data:{media_type};base64,{base64.b64encode(self._bodies[name]).decode()}"

    def text(self, name: str) -> str:
        """A file as text, for a page that stands alone."""
        return self._bodies[name].decode()

    def url(self, name: str) -> str:
        """The path of a file by its plain name; `KeyError` for one that is not there."""
        return self.urls[name]

    def names(self) -> Mapping[str, str]:
        """Every plain name and its path."""
        return dict(self.urls)

    def asset(self, hashed: str) -> Asset | None:
        """The file under a hashed name, where there is one."""
        return self._assets.get(hashed)

    def gzipped(self, hashed: str) -> bytes | None:
        """The same compressed, where that is smaller. Raises `KeyError`."""
        if hashed not in self._gzipped:
            asset = self._assets[hashed]
            small = gzip.compress(asset.body, 9, mtime=0) if asset.media_type.startswith(_COMPRESSIBLE) else asset.body
            self._gzipped[hashed] = small if len(small) < len(asset.body) else None
        return self._gzipped[hashed]
