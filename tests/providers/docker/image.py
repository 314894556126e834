"""An image to start sessions from, made of this machine's own files: no registry is asked.

It holds the interpreter that runs the tests, the distributions that a notebook server needs, the libraries that these
load, and a few programs. Everything else is left out, so that it takes seconds.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOTS = ("jupyterlab", "ipykernel", "jupyter-server", "notebook")
PROGRAMS = ("sh", "tar", "true", "sleep", "cat", "id")
PREFIX = Path("/opt/jupyter")
LEFT_OUT = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}
PASSWD = "root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:100:jovyan:/home/jovyan:/bin/sh\n"
GROUP = "root:x:0:\nusers:x:100:\n"

_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")


def imported(address: str, name: str, files: Iterable[tuple[Path, Path]], *changes: str) -> None:
    """Make an image of these files, each with its place in it."""
    words = [word for change in changes for word in ("--change", change)]
    argv = ["docker", "--host", address, "import", *words, "-", name]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as importing:
        assert importing.stdin is not None
        with tarfile.open(fileobj=importing.stdin, mode="w|") as archive:
            _write(archive, files)
    assert importing.returncode == 0, f"docker import ended with status {importing.returncode}"


def notebook_files() -> Iterator[tuple[Path, Path]]:
    """All that a notebook server needs."""
    yield from plain_files()
    code = list(_distributions())
    yield from code
    yield from _libraries(source for source, _ in code if ".so" in source.suffixes)


def plain_files() -> Iterator[tuple[Path, Path]]:
    """A few programs, and the interpreter without any package."""
    found = [Path(found) for name in PROGRAMS if (found := shutil.which(name))]
    for path in found:
        yield path.resolve(), Path("/bin") / path.name
    interpreter = Path(sys.executable).resolve()
    yield interpreter, interpreter
    code = list(_standard_library())
    yield from code
    modules = (source for source, _ in code if ".so" in source.suffixes)
    yield from _libraries([*(path.resolve() for path in found), interpreter, *modules])


def version() -> str:
    """Changes with anything that goes in."""
    known = [f"{name}={importlib.metadata.version(name)}" for name in sorted(_closure())]
    words = [sys.version, Path(__file__).read_text(), *known]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def _write(archive: tarfile.TarFile, files: Iterable[tuple[Path, Path]]) -> None:
    made: set[Path] = set()
    for name, text in (("/etc/passwd", PASSWD), ("/etc/group", GROUP), (str(PREFIX / "pyvenv.cfg"), _configuration())):
        _add(archive, made, Path(name), text.encode(), 0o644)
    for name, target in (("python", Path(sys.executable).resolve()), ("python3", Path("python"))):
        link = tarfile.TarInfo(str(PREFIX / "bin" / name).lstrip("/"))
        link.type, link.linkname = tarfile.SYMTYPE, str(target)
        _directories(archive, made, PREFIX / "bin")
        archive.addfile(link)
    for source, place in files:
        if place not in made:
            body = source.read_bytes()
            if place.parent == PREFIX / "bin" and body.startswith(b"#!"):
                body = f"#!{PREFIX}/bin/python\n".encode() + body.partition(b"\n")[2]
            _add(archive, made, place, body, 0o755 if os.access(source, os.X_OK) else 0o644, source.stat().st_mtime)


def _configuration() -> str:
    return f"home = {Path(sys.executable).resolve().parent}\ninclude-system-site-packages = false\n"


def _add(archive: tarfile.TarFile, made: set[Path], place: Path, body: bytes, mode: int, modified: float = 0) -> None:
    _directories(archive, made, place.parent)
    member = tarfile.TarInfo(str(place).lstrip("/"))
    member.size, member.mode, member.mtime = len(body), mode, int(modified)
    archive.addfile(member, io.BytesIO(body))
    made.add(place)


def _directories(archive: tarfile.TarFile, made: set[Path], place: Path) -> None:
    for above in [*reversed(place.parents), place]:
        if above not in made and above != Path("/"):
            member = tarfile.TarInfo(str(above).lstrip("/"))
            # A mount there gets the mode of what it covers, and a library may lie below it.
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if above == Path("/tmp") else 0o755
            archive.addfile(member)
            made.add(above)


def _closure() -> set[str]:
    """The distributions that the roots need here, extras included."""
    found: dict[str, set[str]] = {}
    waiting = [Requirement(name) for name in ROOTS]
    while waiting:
        wanted = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if name not in found or not wanted.extras <= found[name]:
            found.setdefault(name, set()).update(wanted.extras)
            waiting += _needed(name, wanted.extras)
    return set(found)


def _needed(name: str, extras: set[str]) -> Iterator[Requirement]:
    for text in importlib.metadata.distribution(name).requires or ():
        needed = Requirement(text)
        if needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in extras or {""}):
            yield needed


def _distributions() -> Iterator[tuple[Path, Path]]:
    here = Path(sys.prefix)
    for name in _closure():
        for file in importlib.metadata.distribution(name).files or ():
            source = Path(os.path.normpath(file.locate()))
            if source.is_file() and source.is_relative_to(here):
                yield source, PREFIX / source.relative_to(here)


def _standard_library() -> Iterator[tuple[Path, Path]]:
    for directory, names, files in os.walk(sysconfig.get_path("stdlib")):
        names[:] = [name for name in names if name not in LEFT_OUT and not name.startswith("config-")]
        for name in files:
            source = Path(directory, name)
            if source.is_file():
                yield source, source


def _libraries(binaries: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """What the loader finds for them, at the paths where it finds it."""
    argv = ["ldd", *sorted({str(path) for path in binaries})]
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    for path in sorted(set(_LIBRARY.findall(said))):
        yield Path(path).resolve(), Path(os.path.normpath(path))
