"""Write what the Python kernel in the browser is made of, with the hashes of what the registries give now.

    python vendor/pyodide.py VERSION FILE        Pyodide's version and the pins to write

Wheels that Pyodide's own list names come in the version it names, the others in their newest. A build takes nothing
but what the written file says.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from base64 import b64encode
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CORE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
WHEELS = [
    *["asttokens", "comm", "decorator", "executing", "ipython", "ipython-pygments-lexers", "ipywidgets", "jedi"],
    *["jupyterlab-widgets", "matplotlib-inline", "micropip", "packaging", "parso", "prompt-toolkit", "pure-eval"],
    *["pygments", "pyodide-http", "six", "stack-data", "traitlets", "typing-extensions", "wcwidth"],
]


def main() -> int:
    """Fetch, look and write."""
    version, target = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        subprocess.run(["npm", "pack", "--silent", f"pyodide@{version}"], cwd=place, check=True)  # noqa: S607
        archive = place / f"pyodide-{version}.tgz"
        with tarfile.open(archive) as opened:
            member = opened.extractfile("package/pyodide-lock.json")
            assert member is not None, "the archive has no lock"
            lock = json.load(member)
        python = ".".join(lock["info"]["python"].split(".")[:2])
        _fetch(lock, python, place)
        wheels = [_wheel(path, python) for path in sorted(place.glob("*.whl"))]
        integrity = f"sha512-{b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"
    core = {"package": "pyodide", "version": version, "integrity": integrity, "files": CORE}
    target.write_text(json.dumps({"python": python, "core": core, "wheels": wheels}, indent=1) + "\n")
    return 0


def _fetch(lock: dict[str, Any], python: str, place: Path) -> None:
    known = {canonicalize_name(name): entry["version"] for name, entry in lock["packages"].items()}
    wanted = [f"{name}=={known[name]}" if name in known else name for name in map(canonicalize_name, WHEELS)]
    pure = ["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--python-version", python, *pure]
    subprocess.run([*command, "-d", str(place), *wanted], check=True)


def _wheel(path: Path, python: str) -> dict[str, Any]:
    with zipfile.ZipFile(path) as opened:
        names = opened.namelist()
        about = HeaderParser().parsestr(opened.read(next(n for n in names if n.endswith("/METADATA"))).decode())
    tops = {PurePosixPath(name).parts[0] for name in names if name.endswith(".py") and ".data/" not in name}
    needed = [Requirement(text) for text in about.get_all("Requires-Dist") or []]
    there = {"sys_platform": "emscripten", "platform_system": "Emscripten", "python_version": python, "extra": ""}
    return {
        "name": canonicalize_name(about["Name"]),
        "version": about["Version"],
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "depends": sorted({canonicalize_name(n.name) for n in needed if not n.marker or n.marker.evaluate(there)}),
        "imports": sorted(top.removesuffix(".py") for top in tops),
    }


if __name__ == "__main__":
    sys.exit(main())
