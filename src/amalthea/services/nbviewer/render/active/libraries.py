"""The files that frames load from the content origin: vendored libraries and our own scripts, under hashed names.

`libraries/manifest.json` lists the libraries, which lie there compressed and are sent as they lie; `libraries/*.js` are
ours. A name holds the hash of its bytes, so that browsers may keep the file for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

import msgspec

_PACKAGE = "amalthea.services.nbviewer"
_TYPES = {"js": "text/javascript", "json": "application/json", "woff2": "font/woff2"}


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """One file on the content origin.

    served:    its name under `/lib/`
    file:      its name in the directory `content`; ending with `.gz` it is gzipped
    """

    name: str
    served: str
    file: str
    version: str = ""
    package: str = ""
    licence: str = "BSD-3-Clause"
    sha256: str = ""

    @property
    def media_type(self) -> str:
        """What it is served as."""
        return _TYPES[self.served.rpartition(".")[2]]

    @property
    def encoding(self) -> str:
        """The content coding of the file as it lies: `gzip`, or empty."""
        return "gzip" if self.file.endswith(".gz") else ""

    def body(self) -> bytes:
        """The bytes as they lie; read anew each time."""
        return _directory().joinpath(self.file).read_bytes()


def library_url(name: str) -> str:
    """Where a frame's document finds a file, relative to `/frame/<digest>`. `KeyError` for an unknown name."""
    return f"../lib/{libraries()[name].served}"


@cache
def libraries() -> Mapping[str, Library]:
    """Every file by its plain name, such as `plotly` or `frame`."""
    listed = msgspec.json.decode(_directory().joinpath("manifest.json").read_bytes(), type=list[Library])
    own = [_own(file) for file in _directory().iterdir() if file.name.endswith(".js")]
    return MappingProxyType({library.name: library for library in (*listed, *own)})


@cache
def edition() -> str:
    """Changes when any of the files does: documents hold their names."""
    served = sorted(library.served for library in libraries().values())
    return hashlib.sha256("\n".join(served).encode()).hexdigest()[:8]


def _own(file: Traversable) -> Library:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    stem = file.name.removesuffix(".js")
    return Library(name=stem, served=f"{stem}.{digest[:12]}.js", file=file.name, sha256=digest)


def _directory() -> Traversable:
    return files(_PACKAGE).joinpath("libraries")
