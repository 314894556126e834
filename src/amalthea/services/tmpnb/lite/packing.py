"""The files of a site in all the forms that they are sent in, made once."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import brotli

from amalthea.services.tmpnb.lite.checking import Scripts
from amalthea.services.tmpnb.lite.site import FORMAT, JAVASCRIPT, PYTHON, File, Manifest

# The best quality takes a minute on one core, and would save a tenth.
_QUALITY = 9
_WINDOW = 24
_GZIP = 6
_WORTH = 0.95
_ALREADY_SMALL = frozenset({".png", ".woff", ".woff2", ".jpg"})


def packed(tree: Path, *, recipe: str, packages: dict[str, str], without: str) -> Manifest:
    """Write the smaller forms of every file in `tree/plain`; the manifest of all of them."""
    found = _pack(tree / "plain", tree)
    listed = "".join(f"{name} {file.sha256}\n" for name, file in sorted(found.items()))
    return Manifest(
        format=FORMAT,
        version=sha256(listed.encode()).hexdigest()[:12],
        recipe=recipe,
        kernels=(JAVASCRIPT,) if without else (PYTHON, JAVASCRIPT),
        without=without,
        packages=packages,
        scripts=_script_hashes(tree / "plain"),
        files=found,
    )


def _pack(plain: Path, tree: Path) -> dict[str, File]:
    paths = sorted(path for path in plain.rglob("*") if path.is_file())
    return {path.relative_to(plain).as_posix(): _packed(path, path.relative_to(plain), tree) for path in paths}


def _packed(path: Path, name: Path, tree: Path) -> File:
    body = path.read_bytes()
    made = {"br": b"", "gzip": b""}
    if path.suffix not in _ALREADY_SMALL:
        made = {"br": _brotli(body), "gzip": gzip.compress(body, _GZIP, mtime=0)}
    for encoding, packed in made.items():
        if len(packed) > _WORTH * len(body):
            made[encoding] = b""
        elif packed:
            target = tree / encoding / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(packed)
    return File(sha256=sha256(body).hexdigest(), size=len(body), br=len(made["br"]), gzip=len(made["gzip"]))


def _brotli(body: bytes) -> bytes:
    packed: bytes = brotli.compress(body, quality=_QUALITY, lgwin=_WINDOW)
    return packed


def _script_hashes(plain: Path) -> tuple[str, ...]:
    return tuple(sorted({_hash(script) for script in _scripts(plain)}))


def _scripts(plain: Path) -> Iterator[str]:
    for path in plain.rglob("*.html"):
        yield from Scripts(path.read_text()).scripts


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
