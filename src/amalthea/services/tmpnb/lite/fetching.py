"""Fetch what the Python kernel is made of, with the registries' own clients, and take nothing but what is pinned.

Archives stay in a directory, so that a second build fetches nothing, and so that a machine without a network can be
given them by hand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.pins import Core, Pins, Wheel

_SECONDS = 300


def obstacle(pins: Pins, packages: Path) -> str:
    """What keeps the Python kernel from being built here, or ""; asks no registry."""
    if not _has_core(pins.core, packages) and _npm() is None:
        return f"npm is not installed, and {pins.core.file} is not in {packages}"
    if _missing(pins.wheels, packages) and find_spec("pip") is None:
        return "this Python has no pip"
    return ""


def fetch(pins: Pins, packages: Path) -> None:
    """Have every archive in `packages`. Raises `BuildFailed` for one that cannot be had or is not the one pinned."""
    packages.mkdir(parents=True, exist_ok=True)
    if not _has_core(pins.core, packages):
        _fetch_core(pins.core, packages)
    if _missing(pins.wheels, packages):
        _fetch_wheels(pins, packages)


def _fetch_core(core: Core, packages: Path) -> None:
    npm = _npm()
    if npm is None:
        raise BuildFailed("npm is not installed", where=core.file, hint=f"Install npm, or put the file into {packages}")
    with tempfile.TemporaryDirectory(dir=packages) as place:
        package = f"{core.package}@{core.version}"
        run([npm, "pack", "--silent", "--ignore-scripts", package], cwd=Path(place), env=dict(os.environ))
        _take([core.file], Path(place), packages)
    if not _has_core(core, packages):
        raise _other(packages / core.file)


def _fetch_wheels(pins: Pins, packages: Path) -> None:
    with tempfile.TemporaryDirectory(dir=packages) as place:
        wanted = Path(place) / "requirements.txt"
        wanted.write_text(pins.requirements())
        pure = ["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
        exact = ["--no-deps", "--require-hashes", "--python-version", pins.python, "-r", str(wanted)]
        command = [sys.executable, "-m", "pip", "download", *quiet, *pure, *exact, "--dest", place]
        run(command, cwd=Path(place), env=dict(os.environ))
        _take([wheel.file for wheel in pins.wheels], Path(place), packages)
    for wheel in _missing(pins.wheels, packages):
        raise _other(packages / wheel.file)


def run(command: Sequence[str], *, cwd: Path, env: dict[str, str]) -> None:
    """Run a program of the build. Raises `BuildFailed` with the end of what it printed."""
    name = " ".join(command[:4])
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BuildFailed(
            f"it did not end in {_SECONDS} s", where=name, hint="Is the network slow? Try again."
        ) from None
    if done.returncode:
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise BuildFailed(f"it failed with code {done.returncode}:\n  {said}", where=name)


def _take(names: Iterable[str], place: Path, packages: Path) -> None:
    for name in names:
        if (place / name).is_file():
            os.replace(place / name, packages / name)


def _has_core(core: Core, packages: Path) -> bool:
    path = packages / core.file
    if not path.is_file():
        return False
    return f"sha512-{b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()}" == core.integrity


def _missing(wheels: Iterable[Wheel], packages: Path) -> list[Wheel]:
    paths = ((wheel, packages / wheel.file) for wheel in wheels)
    return [w for w, path in paths if not path.is_file() or sha256(path.read_bytes()) != w.sha256]


def _npm() -> str | None:
    """The program; some environments carry one beside their Python."""
    beside = Path(sys.executable).with_name("npm")
    return shutil.which("npm") or (str(beside) if beside.is_file() else None)


def _other(path: Path) -> BuildFailed:
    return BuildFailed(
        "not the file that this version of amalthea knows",
        where=str(path),
        hint="Its registry gave another file than it once did: nothing was built from it.",
    )


def sha256(body: bytes) -> str:
    """As manifests and locks write it."""
    return hashlib.sha256(body).hexdigest()
