"""The home of a session: a directory whose owner may do with it what he likes."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import HomeFile

Tree = Mapping[str, tuple[bytes, bool]]


class Directory:
    """A `Home` of the files below `root`. `asked` tells which were read; no link is followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        root.mkdir(parents=True, exist_ok=True)

    async def scan(self) -> Sequence[HomeFile]:
        places = [Path(above, name) for above, _, names in os.walk(self.root) for name in names]
        files = [self._seen(place) for place in places if stat.S_ISREG(place.lstat().st_mode)]
        return sorted(files, key=lambda file: file.path)

    def _seen(self, place: Path) -> HomeFile:
        found = place.lstat()
        return HomeFile(
            path=str(place.relative_to(self.root)),
            size=found.st_size,
            modified=found.st_mtime_ns,
            executable=bool(found.st_mode & 0o100),
        )

    async def read(self, path: str, *, most: int) -> bytes:
        self.asked.append(path)
        try:
            descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise ProviderError("it cannot be read", where=path) from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ProviderError("it is no file", where=path)
            body = file.read(most + 1)
        if len(body) > most:
            raise ProviderError("it is too large", where=path)
        return body

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        place = self.root / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body)
            place.chmod(0o755 if executable else 0o644)
        except (OSError, ValueError) as error:
            raise ProviderError("it cannot be written", where=path) from error

    def fill(self, tree: Tree) -> None:
        """Hold these files and no others."""
        for above, names, files in os.walk(self.root, topdown=False):
            for name in files:
                os.unlink(os.path.join(above, name))
            for name in names:
                os.rmdir(os.path.join(above, name))
        for path, (body, executable) in tree.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body)
            place.chmod(0o755 if executable else 0o644)

    def tree(self) -> Tree:
        """What files there are, and what they hold."""
        return {
            os.path.relpath(os.path.join(above, name), self.root): _held(Path(above, name))
            for above, _, names in os.walk(self.root)
            for name in names
        }


def _held(place: Path) -> tuple[bytes, bool]:
    return place.read_bytes(), bool(place.stat().st_mode & 0o100)
