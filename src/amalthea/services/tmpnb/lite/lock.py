"""Pyodide's list of packages, rewritten: what is here, and nothing that would have to be asked for elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.pins import Pins, Wheel

LOCK = "pyodide-lock.json"
# Loaded side by side while Python starts; the kernel would ask for them one after the other.
AT_START = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")


def rewritten(original: bytes, pins: Pins, wheels: Iterable[Wheel]) -> bytes:
    """A lock of these wheels alone, with the interpreter's own description from the original.

    Raises `BuildFailed` where a package is listed twice, needs one that is not listed, is missing from what the kernel
    starts with, or where the original is for another Python.
    """
    about = json.loads(original)["info"]
    if not about["python"].startswith(f"{pins.python}."):
        raise BuildFailed(f"Pyodide has Python {about['python']}, the wheels are for {pins.python}", where=LOCK)
    known: dict[str, Any] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.name):
        if wheel.name in known:
            raise BuildFailed(f"{wheel.name} is there twice", where=LOCK)
        known[wheel.name] = _entry(wheel)
    check_closed({name: entry["depends"] for name, entry in known.items()})
    return json.dumps({"info": about, "packages": known}, indent=1, sort_keys=True).encode()


def check_closed(depends: Mapping[str, Iterable[str]]) -> None:
    """Raise `BuildFailed` where something is needed that is not there."""
    missing = [f"{need} (for {name})" for name, needs in depends.items() for need in needs if need not in depends]
    missing += [f"{name} (for the kernel)" for name in AT_START if name not in depends]
    if missing:
        raise BuildFailed(f"packages are missing: {', '.join(missing)}", where=LOCK)


def _entry(wheel: Wheel) -> dict[str, Any]:
    return {
        "name": wheel.name,
        "version": wheel.version,
        "file_name": wheel.file,
        "sha256": wheel.sha256,
        "install_dir": "site",
        "package_type": "package",
        "imports": list(wheel.imports),
        "depends": list(wheel.depends),
        "unvendored_tests": False,
    }
