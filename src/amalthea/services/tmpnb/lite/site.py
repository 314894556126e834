"""A built site: what lies in its directory, and what is known of each file.

    DIRECTORY/site.json          the manifest: which of the trees is the site, and every file in it
    DIRECTORY/site-<version>/    the tree: `plain/`, and the smaller forms in `br/` and `gzip/`
    DIRECTORY/packages/          what was fetched for it; may be put there by hand

A tree is never changed: the manifest, replaced in one step, points to another one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

MANIFEST = "site.json"
ASIDE = ".building-"
FORMAT = 1
_TREE = "site-"
START = "lab/index.html?path=welcome.ipynb"

PYTHON = "python"
JAVASCRIPT = "javascript"
_SPOKEN = {PYTHON: "Python", JAVASCRIPT: "JavaScript"}


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its hash and its sizes in bytes; 0 for a form that would not be smaller and is not there."""

    sha256: str
    size: int
    br: int = 0
    gzip: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a site.

    `recipe` is a hash of all that it was made from, `without` says why there is no Python, `scripts` are the hashes of
    the scripts that stand in its pages, as a content security policy writes them.
    """

    format: int
    version: str
    recipe: str
    kernels: tuple[str, ...]
    without: str
    packages: dict[str, str]
    scripts: tuple[str, ...]
    files: dict[str, File]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A site that can be served; `tree` is its directory."""

    tree: Path
    manifest: Manifest

    @property
    def version(self) -> str:
        """A hash of its files."""
        return self.manifest.version

    @property
    def kernels(self) -> tuple[str, ...]:
        """The languages a visitor can use, the first one by default."""
        return self.manifest.kernels

    @property
    def size(self) -> int:
        """Bytes of all its files, uncompressed."""
        return sum(file.size for file in self.manifest.files.values())

    @property
    def packed_size(self) -> int:
        """Bytes of all its files as a browser gets them."""
        return sum(file.br or file.size for file in self.manifest.files.values())

    def summary(self) -> str:
        """One line for people."""
        kernels = " and ".join(_SPOKEN[kernel] for kernel in self.kernels)
        missing = f" (no Python: {self.manifest.without})" if self.manifest.without else ""
        sizes = f"{self.size / 1e6:.1f} MB, {self.packed_size / 1e6:.1f} MB compressed"
        return f"JupyterLite {self.version}, {kernels}{missing}, {len(self.manifest.files)} files, {sizes}"


def lite_site(directory: Path) -> Site | None:
    """The site in a directory; None where there is none, or one of another format."""
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None
    tree = directory / f"{_TREE}{manifest.version}"
    return Site(tree=tree, manifest=manifest) if manifest.format == FORMAT and tree.is_dir() else None


def published(directory: Path, tree: Path, manifest: Manifest) -> Site:
    """Move a tree to its place, and only then point to it.

    The tree that was pointed to before stays until the next time, for those who serve it now.
    """
    before = lite_site(directory)
    target = directory / f"{_TREE}{manifest.version}"
    if target.is_dir():
        os.replace(target, directory / f"{ASIDE}{target.name}")
    os.replace(tree, target)
    aside = directory / f"{ASIDE}{MANIFEST}"
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    os.replace(aside, directory / MANIFEST)
    kept = {target, before.tree if before else target}
    for old in {*directory.glob(f"{_TREE}*"), *directory.glob(f"{ASIDE}{_TREE}*")} - kept:
        shutil.rmtree(old, ignore_errors=True)
    return Site(tree=target, manifest=manifest)
