"""Files that are no notebooks: which of them are shown as they are, as what, and where.

Shown are pictures, and text as plain text, whatever it would be to a browser. The name decides, never the bytes,
and the browser is told not to guess. Everything else stays with its source.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from amalthea.services.nbviewer.hub.signing import Signer

_PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
}
_PROGRAMS = (
    ".c",
    ".cc",
    ".cpp",
    ".cu",
    ".f",
    ".f90",
    ".go",
    ".h",
    ".hpp",
    ".java",
    ".jl",
    ".js",
    ".lean",
    ".lua",
    ".m",
)
_MORE_PROGRAMS = (".ml", ".pl", ".ps1", ".py", ".pyx", ".r", ".rb", ".rs", ".scala", ".sh", ".sql", ".ts")
_DATA = (".cfg", ".csv", ".dat", ".ini", ".json", ".jsonl", ".toml", ".tsv", ".xml", ".yaml", ".yml")
_PROSE = (".bib", ".css", ".htm", ".html", ".md", ".rst", ".tex", ".txt")
_TEXT = frozenset((*_PROGRAMS, *_MORE_PROGRAMS, *_DATA, *_PROSE))
_NAMES = frozenset({"dockerfile", "license", "makefile", "readme"})


def media_type(name: str) -> str | None:
    """What a file of this name is served as; None for what is not served."""
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in _PICTURES:
        return _PICTURES[suffix]
    return "text/plain" if suffix in _TEXT or name.lower() in _NAMES else None


class RawAddresses:
    """Where files are on the content origin, under the path they have on nbviewer.

    That origin knows nobody. So where nbviewer is for some people only, `signer` makes an address that opens this one
    file and cannot be guessed, and only nbviewer, which knows them, hands it out.
    """

    def __init__(self, origin: str, signer: Signer | None) -> None:
        self._origin = origin
        self._signer = signer

    @property
    def private(self) -> bool:
        """Whether an address needs a key."""
        return self._signer is not None

    def url(self, path: str) -> str:
        """The address of a file; `path` is its raw path on nbviewer."""
        key = f"?key={self._signer.signature('raw', path)}" if self._signer else ""
        return f"{self._origin}/raw{path}{key}"

    def opens(self, path: str, key: str) -> bool:
        """Whether somebody with this key may have the file."""
        return self._signer is None or self._signer.fits("raw", path, key)
