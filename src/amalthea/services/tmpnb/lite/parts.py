"""What is installed that a site is built from: JupyterLite, and the extensions that bring a kernel each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import msgspec

from amalthea.services.tmpnb.lite.errors import BuildFailed, PackageMissing

CORE = "jupyterlite-core"
JAVASCRIPT = "jupyterlite-javascript-kernel"
PYODIDE = "jupyterlite-pyodide-kernel"
WIDGETS = "jupyterlab-widgets"
CONTENTS = "jupyter-server"

_HINT = "Install them: pip install 'amalthea[lite]'"


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Versions by package, and the directories of the extensions, of which Python has two."""

    versions: dict[str, str]
    javascript: Path
    pyodide: Path
    widgets: Path

    @property
    def kernel_index(self) -> Path:
        """The list of the wheels that the Python kernel's package carries."""
        return self.pyodide / "static" / "pypi" / "all.json"

    def expected_pyodide(self) -> str:
        """The address that the kernel would load Pyodide from by itself; it says for which version it was made."""
        schema = json.loads((self.pyodide / "static" / "schema" / "kernel.v0.schema.json").read_bytes())
        return str(schema["properties"]["pyodideUrl"]["default"])


def missing_packages() -> list[str]:
    """What is not installed of what a build needs."""
    return [name for name in (CORE, JAVASCRIPT, PYODIDE, WIDGETS, CONTENTS) if not _is_installed(name)]


def installed() -> Parts:
    """Everything a build needs. Raises `PackageMissing`."""
    if missing := missing_packages():
        raise PackageMissing(f"not installed: {', '.join(missing)}", where="JupyterLite", hint=_HINT)
    return Parts(
        versions={name: distribution(name).version for name in (CORE, JAVASCRIPT, PYODIDE, WIDGETS)},
        javascript=_extension(JAVASCRIPT),
        pyodide=_extension(PYODIDE),
        widgets=_extension(WIDGETS),
    )


def check_fits(parts: Parts, version: str) -> None:
    """Raise `BuildFailed` where the installed kernel was made for another Pyodide than the one pinned."""
    expected = parts.expected_pyodide()
    if f"/v{version}/" not in expected:
        raise BuildFailed(
            f"{PYODIDE} {parts.versions[PYODIDE]} is not made for Pyodide {version}, but for {expected}",
            where="JupyterLite",
            hint=_HINT,
        )


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _extension(name: str) -> Path:
    """Where a package's extension lies, which pip puts outside of the package."""
    found = distribution(name)
    for file in found.files or ():
        if file.name == "package.json" and "labextensions" in file.parts and _is_outermost(file.parts):
            return Path(str(found.locate_file(file))).resolve().parent
    raise PackageMissing(f"{name} is installed without its extension", where="JupyterLite", hint=_HINT)


def _is_outermost(parts: Iterable[str]) -> bool:
    below = list(parts)
    below = below[below.index("labextensions") + 1 :]
    return len(below) == (3 if below[0].startswith("@") else 2)
