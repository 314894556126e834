"""Put a site together: JupyterLite's own build, then Pyodide beside it, then the configuration that knows of it.

JupyterLite's build is always run from nothing, in an empty directory and with no configuration of whoever runs it:
one that is run again over its own result loses the settings that keep it at home.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.fetching import run, sha256
from amalthea.services.tmpnb.lite.lock import AT_START, LOCK, rewritten
from amalthea.services.tmpnb.lite.parts import CORE, Parts
from amalthea.services.tmpnb.lite.pins import Pins, Wheel
from amalthea.services.tmpnb.lite.site import JAVASCRIPT, PYTHON
from amalthea.services.tmpnb.lite.wheels import kernel_wheels, stored

APPS = ("lab", "notebooks", "tree", "edit", "repl")
CONFIGURATION = "jupyter-lite.json"
DATA = "jupyter-config-data"
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
_EPOCH = 1577836800  # 2020-01-01: the time of everything, so that two builds are the same
_NOT_WANTED = ("rspack.config*.js", "*.orig", "*.LICENSE.txt", "*.eot")


def assemble(place: Path, parts: Parts, *, python: bool, say: Callable[[str], None]) -> Path:
    """JupyterLite's own build in an empty directory; where its result is. Raises `BuildFailed`."""
    lite, out = place / "lite", place / "out"
    _write_starters(lite / "files", python=python)
    extensions = [parts.javascript, *([parts.pyodide, parts.widgets] if python else [])]
    say(f"JupyterLite {parts.versions[CORE]} is built")
    run(_command(lite, out, extensions), cwd=place, env=_environment(place))
    for pattern in _NOT_WANTED:
        for path in out.rglob(pattern):
            path.unlink()
    _configure(out, {"appName": "amalthea", "defaultKernelName": PYTHON if python else JAVASCRIPT})
    return out


def _write_starters(target: Path, *, python: bool) -> None:
    target.mkdir(parents=True)
    starters = files(__package__).joinpath("starter")
    names = {"welcome.ipynb": PYTHON, "javascript.ipynb": JAVASCRIPT} if python else {"welcome.ipynb": JAVASCRIPT}
    for name, language in names.items():
        (target / name).write_bytes(starters.joinpath(f"{language}.ipynb").read_bytes())
    for path in (*target.iterdir(), target):
        os.utime(path, (_EPOCH, _EPOCH))


def _command(lite: Path, out: Path, extensions: Iterable[Path]) -> list[str]:
    small = ["--no-sourcemaps", "--no-unused-shared-packages", "--no-libarchive"]
    alone = ["--force", "--ignore-sys-prefix", f"--source-date-epoch={_EPOCH}"]
    apps = [f"--apps={app}" for app in APPS]
    added = [f"--LiteBuildConfig.federated_extensions={path}" for path in extensions]
    places = ["--lite-dir", str(lite), "--output-dir", str(out)]
    return [sys.executable, "-m", "jupyterlite_core", "build", *small, *alone, *apps, *added, *places]


def _environment(place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHONWARN"))}
    own = {"HOME": str(place), "JUPYTER_NO_CONFIG": "1", "JUPYTER_CONFIG_DIR": str(place / "none")}
    return kept | own | {"SOURCE_DATE_EPOCH": str(_EPOCH), "PYTHONWARNINGS": "ignore", "TZ": "UTC"}


def add_python(out: Path, parts: Parts, pins: Pins, packages: Path) -> None:
    """Put Pyodide and its packages into the site, under a name that holds their hash. Raises `BuildFailed`."""
    bodies, wheels = _wheel_files(parts, pins, packages)
    core = _core_files(packages / pins.core.file, (*pins.core.files, LOCK))
    core["python_stdlib.zip"] = stored(core["python_stdlib.zip"])
    bodies |= core | {LOCK: rewritten(core[LOCK], pins, wheels)}
    version = sha256("".join(f"{name} {sha256(bodies[name])}\n" for name in sorted(bodies)).encode())[:12]
    target = out / "static" / f"pyodide-{version}"
    target.mkdir(parents=True)
    for name, body in bodies.items():
        (target / name).write_bytes(body)
    settings = {
        "pyodideUrl": f"./static/{target.name}/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": list(AT_START)},
    }
    _configure(out, {"litePluginSettings": {PLUGIN: settings}})


def _wheel_files(parts: Parts, pins: Pins, packages: Path) -> tuple[dict[str, bytes], list[Wheel]]:
    """The wheels' bytes by name, and what the lock says of each."""
    own = parts.kernel_index
    places = [(wheel, packages) for wheel in pins.wheels]
    places += [(wheel, own.parent) for wheel in kernel_wheels(own)]
    bodies = {wheel.file: stored((place / wheel.file).read_bytes()) for wheel, place in places}
    wheels = [
        Wheel(
            name=wheel.name,
            version=wheel.version,
            file=wheel.file,
            sha256=sha256(bodies[wheel.file]),
            depends=wheel.depends,
            imports=wheel.imports,
        )
        for wheel, _ in places
    ]
    return bodies, wheels


def _core_files(archive: Path, names: Iterable[str]) -> dict[str, bytes]:
    found = {}
    with tarfile.open(archive) as opened:
        for name in names:
            member = opened.extractfile(f"package/{name}")
            if member is None:
                raise BuildFailed(f"{name} is not in it", where=str(archive))
            found[name] = member.read()
    return found


def _configure(out: Path, more: dict[str, Any]) -> None:
    """Add to the site's configuration; the settings of a plugin are added to those it has."""
    path = out / CONFIGURATION
    whole = json.loads(path.read_bytes())
    data = whole[DATA]
    for name, value in more.items():
        if name != "litePluginSettings":
            data[name] = value
            continue
        settings = data.setdefault(name, {})
        for plugin, wanted in value.items():
            settings[plugin] = settings.get(plugin, {}) | wanted
    path.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
