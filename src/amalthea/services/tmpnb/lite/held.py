"""Files held in memory, up to a limit in bytes: what was read last stays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path


class Held:
    """Bodies by path; for files that never change. May be used from several threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._bodies: OrderedDict[Path, bytes] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, path: Path) -> bytes | None:
        """The file, where it is in memory."""
        with self._turn:
            body = self._bodies.get(path)
            if body is not None:
                self._bodies.move_to_end(path)
            return body

    def read(self, path: Path) -> bytes:
        """The file from disk, held from now on. Raises `OSError`."""
        body = path.read_bytes()
        with self._turn:
            self._keep(path, body)
        return body

    def _keep(self, path: Path, body: bytes) -> None:
        if path in self._bodies or len(body) > self.limit:
            return
        self._bodies[path] = body
        self.used += len(body)
        while self.used > self.limit:
            _, gone = self._bodies.popitem(last=False)
            self.used -= len(gone)
