"""Fetch the browser libraries that frames use, and keep them as gzipped files with a manifest.

    python vendor/vendor.py DIRECTORY            fetch what is listed; a file that differs from the manifest is an error
    python vendor/vendor.py DIRECTORY --accept   the same, and write what came into the manifest

`libraries.json` beside this file says what is wanted. The manifest holds the hash of each unpacked file, so that a
registry that gives other bytes for a version is noticed. Files are stored as they are sent: compressed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SOURCE_MAP = re.compile(rb"\n?//# sourceMappingURL=\S+\s*\Z")
LICENCES = re.compile(r"package/(?:LICEN[CS]E|COPYING)[^/]*", re.IGNORECASE)


def main() -> int:
    """Fetch everything; the exit code is 1 where a file is not the one that is known."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("directory", type=Path)
    asked.add_argument("--accept", action="store_true", help="write the hashes of what came into the manifest")
    given = asked.parse_args()
    known = _known(given.directory / "manifest.json")
    made, wrong = [], []
    with tempfile.TemporaryDirectory() as temporary:
        for library in json.loads((HERE / "libraries.json").read_text()):
            archive = _archive(f"{library['package']}@{library['version']}", Path(temporary))
            body = SOURCE_MAP.sub(b"\n", _member(archive, f"package/{library['path']}"))
            entry = _entry(library, body)
            if not given.accept and known.get(library["name"]) != entry["sha256"]:
                wrong.append(f"{library['name']}: {entry['sha256']}, expected {known.get(library['name'])}")
                continue
            packed = gzip.compress(body, 9, mtime=0) if entry["file"].endswith(".gz") else body
            (given.directory / entry["file"]).write_bytes(packed)
            _keep_licence(
                archive, given.directory / "licences" / f"{library['package'].replace('/', '-').strip('@')}.txt"
            )
            made.append(entry)
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        (given.directory / "manifest.json").write_text(json.dumps(made, indent=2) + "\n")
    return 1 if wrong else 0


def _known(manifest: Path) -> dict[str, str]:
    if not manifest.exists():
        return {}
    return {entry["name"]: entry["sha256"] for entry in json.loads(manifest.read_text())}


def _entry(library: dict[str, str], body: bytes) -> dict[str, str]:
    """What the manifest says of it; `served` is its name on the content origin, which some files are asked for by."""
    digest = hashlib.sha256(body).hexdigest()
    stem = f"{library['name']}-{library['version']}"
    own = library.get("served", f"{stem}.js")
    return {
        "name": library["name"],
        "package": library["package"],
        "version": library["version"],
        "licence": library["licence"],
        "sha256": digest,
        "served": library.get("served", f"{stem}.{digest[:12]}.js"),
        "file": own if own.endswith(".woff2") else f"{own}.gz",
    }


def _archive(package: str, directory: Path) -> Path:
    """The package as npm packs it; asked for once."""
    own = directory / hashlib.sha256(package.encode()).hexdigest()
    if not own.exists():
        own.mkdir()
        subprocess.run(["npm", "pack", "--silent", package], cwd=own, check=True, stdout=subprocess.DEVNULL)  # noqa: S607
    return next(own.iterdir())


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as opened:
        found = opened.extractfile(name)
        assert found is not None, f"{name} is no file"
        return found.read()


def _keep_licence(archive: Path, target: Path) -> None:
    """Its licence file. Two packages have none; their texts were written by hand and stay."""
    with tarfile.open(archive) as opened:
        found = next((name for name in opened.getnames() if LICENCES.fullmatch(name)), "")
    if found:
        target.write_bytes(_member(archive, found))
    elif not target.exists():
        raise SystemExit(f"{archive.name} has no licence file: write {target} by hand")


if __name__ == "__main__":
    sys.exit(main())
