"""Build the site: aside, looked through, and only then, in one step, the one that is served.

The Python kernel is built where its parts can be had; otherwise JavaScript is alone, and the site says why.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from amalthea.services.tmpnb.lite.assembly import add_python, assemble
from amalthea.services.tmpnb.lite.checking import check_site
from amalthea.services.tmpnb.lite.errors import BuildFailed, LiteError
from amalthea.services.tmpnb.lite.fetching import fetch, obstacle, sha256
from amalthea.services.tmpnb.lite.packing import packed
from amalthea.services.tmpnb.lite.parts import Parts, check_fits, installed, missing_packages
from amalthea.services.tmpnb.lite.pins import Pins, pins
from amalthea.services.tmpnb.lite.site import ASIDE, PYTHON, Site, lite_site, published

Say = Callable[[str], None]
Python = Literal["auto", "required", "never"]

_NEVER = "not asked for"


def ensure_site(directory: Path, *, say: Say, python: Python = "auto", packages: Path | None = None) -> Site:
    """The site in `directory`, built where there is none, or one of other parts, or one that could have Python now.

    Blocks for the seconds that a build takes; whoever else asks for the same directory meanwhile waits for it. `say`
    gets a line for each step. `packages` is where archives are looked for and kept (`directory/packages`).
    Where nothing to build from is installed, a site that is there is good as it is. Raises `LiteError`; a site that was
    there before is still there then.
    """
    with _alone(directory):
        archives = (packages or directory / "packages").absolute()
        known = lite_site(directory)
        if known is not None and _is_good(known, python, archives):
            return known
        return _built(directory, archives, say=say, python=python)


def _is_good(known: Site, python: Python, archives: Path) -> bool:
    if missing_packages():
        return True
    if known.manifest.recipe != _recipe(installed(), pins()):
        return False
    has, wanted = PYTHON in known.kernels, python != "never"
    return has == wanted or (python == "auto" and bool(obstacle(pins(), archives)))


def build_site(directory: Path, *, say: Say, python: Python = "auto", packages: Path | None = None) -> Site:
    """Build the site in `directory` from nothing, and make it the one that is served there.

    `python` says whether the Python kernel is built: where it can be, always, or never. The site that was served
    before stays on disk until the next build. Otherwise as `ensure_site`.
    """
    with _alone(directory):
        return _built(directory, (packages or directory / "packages").absolute(), say=say, python=python)


def _built(directory: Path, packages: Path, *, say: Say, python: Python) -> Site:
    parts, wanted = installed(), pins()
    without = _NEVER if python == "never" else _without_python(parts, wanted, packages, say=say)
    if without and python == "required":
        raise BuildFailed(f"the Python kernel cannot be built: {without}", where="JupyterLite")
    if without:
        say(f"JavaScript only, no Python: {without}")
    with tempfile.TemporaryDirectory(dir=directory, prefix=ASIDE) as place:
        out = assemble(Path(place), parts, python=not without, say=say)
        if not without:
            add_python(out, parts, wanted, packages)
        say("it is looked through for addresses of third parties")
        check_site(out, python=not without)
        tree = Path(place) / "tree"
        tree.mkdir()
        say("its files are compressed")
        os.replace(out, tree / "plain")
        versions = parts.versions | ({} if without else {wanted.core.package: wanted.core.version})
        manifest = packed(tree, recipe=_recipe(parts, wanted), packages=versions, without=without)
        return published(directory, tree, manifest)


def _without_python(parts: Parts, wanted: Pins, packages: Path, *, say: Say) -> str:
    """Fetch what Python needs; why there will be none, or ""."""
    if found := obstacle(wanted, packages):
        return found
    try:
        check_fits(parts, wanted.core.version)
        say(f"Pyodide {wanted.core.version} and {len(wanted.wheels)} packages are fetched, unless they are there")
        fetch(wanted, packages)
    except LiteError as error:
        say(str(error))
        return f"{error.where}: {error.message.splitlines()[0]}"
    return ""


def _recipe(parts: Parts, wanted: Pins) -> str:
    """A hash of everything that a site is made from, this program included."""
    own = sorted((file for file in files(__package__).iterdir() if file.is_file()), key=lambda file: file.name)
    starters = sorted(files(__package__).joinpath("starter").iterdir(), key=lambda file: file.name)
    bodies = b"".join(file.read_bytes() for file in (*own, *starters))
    return sha256(bodies + msgspec.json.encode((parts.versions, wanted)))


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One builder a directory, whatever process it is in; what one left behind that was killed goes."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BuildFailed(f"not a directory to write to: {error.strerror}", where=str(directory)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in directory.glob(f"{ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
        yield
    finally:
        os.close(lock)
