"""What is fetched for the Python kernel, by name, version and hash: `pyodide.json` beside this file.

`vendor/pyodide.py` in the repository writes it. Dependencies and imports are written there too, for a wheel's hash
fixes them as well.
"""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """CPython for the browser, as npm packs it; `integrity` is as npm writes it, `files` are what is taken."""

    package: str
    version: str
    integrity: str
    files: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of the archive."""
        return f"{self.package}-{self.version}.tgz"


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """One wheel of pure Python; `depends` are normalized names."""

    name: str
    version: str
    file: str
    sha256: str
    depends: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


class Pins(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `python` is the version of the language, such as 3.14."""

    python: str
    core: Core
    wheels: tuple[Wheel, ...]

    def requirements(self) -> str:
        """The wheels as pip takes them, each with its hash."""
        return "".join(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in self.wheels)


def pins() -> Pins:
    """What this version of the program takes."""
    return msgspec.json.decode(files(__package__).joinpath("pyodide.json").read_bytes(), type=Pins)


def normalized(name: str) -> str:
    """A package's name as dependencies write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
