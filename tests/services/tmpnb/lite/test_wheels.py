"""Wheels are sent as they are, but not compressed inside."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.wheels import kernel_wheels, stored
from tests.services.tmpnb.lite.making import wheel, written


def index(root: Path, *wheels: tuple[str, str, bytes]) -> Path:
    """A list of wheels as the kernel's package has it."""
    known: dict[str, dict[str, dict[str, list[dict[str, str]]]]] = {}
    for name, version, body in wheels:
        file = f"{name}-{version}-py3-none-any.whl"
        written(root, {file: body})
        known.setdefault(name, {"releases": {}})["releases"][version] = [{"filename": file, "url": f"./{file}"}]
    return written(root, {"all.json": json.dumps(known)}) / "all.json"


def test_a_wheel_holds_the_same_files_uncompressed() -> None:
    original = wheel("goat")
    with zipfile.ZipFile(io.BytesIO(original)) as old, zipfile.ZipFile(io.BytesIO(stored(original))) as new:
        assert {name: old.read(name) for name in old.namelist()} == {name: new.read(name) for name in new.namelist()}
        assert {entry.compress_type for entry in new.infolist()} == {zipfile.ZIP_STORED}


def test_a_wheel_is_the_same_bytes_each_time() -> None:
    original = wheel("goat")
    assert stored(original) == stored(original) == stored(stored(original))


def test_the_newest_of_each_of_the_kernels_wheels_is_taken_with_what_it_needs(tmp_path: Path) -> None:
    old, new = wheel("Pyodide_Kernel", version="0.9.9"), wheel("Pyodide_Kernel", "comm", "ipython>=8", version="0.10.0")
    found = kernel_wheels(index(tmp_path, ("pyodide-kernel", "0.9.9", old), ("pyodide-kernel", "0.10.0", new)))
    assert [(one.name, one.version, one.depends) for one in found] == [
        ("pyodide-kernel", "0.10.0", ("comm", "ipython"))
    ]
    assert found[0].imports == ("pyodide_kernel",)


def test_a_dependency_that_holds_in_some_places_only_is_refused(tmp_path: Path) -> None:
    body = wheel("goat", "pexpect; sys_platform != 'emscripten'")
    with pytest.raises(BuildFailed, match="a dependency with a condition"):
        kernel_wheels(index(tmp_path, ("goat", "1.0", body)))
