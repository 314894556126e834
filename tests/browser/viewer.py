"""The real service for a browser: `amalthea serve nbviewer` over a directory, its content origin on another name."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.machine import free_ports


class Viewer:
    """A running nbviewer. `page` and `content` are its two origins, `directory` is what `/localfile/` shows."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.page = f"http://nbviewer.localhost:{port}"
        self.content = f"http://content.localhost:{port}"
        self._numbers = count(1)

    def put(self, notebook: bytes, name: str = "") -> str:
        """The path of a notebook's page; without a name it gets one that no other has."""
        name = name or f"notebook-{next(self._numbers)}.ipynb"
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(notebook)
        return f"/localfile/{name}"


@contextmanager
def running(directory: Path) -> Iterator[Viewer]:
    """A service of its own over a directory that others may read, until the block ends."""
    directory.chmod(0o755)
    port, admin = free_ports(2)
    listen = ["--port", str(port), "--admin-port", str(admin)]
    command = [sys.executable, "-m", "amalthea", "serve", "nbviewer", *listen, "--local", str(directory)]
    with (directory.parent / "viewer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory.parent)
        try:
            _wait(process, port)
            yield Viewer(directory, port)
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Until it listens."""
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("nbviewer does not listen")
