"""A directory for what only lives as long as its process: sockets and logs of sessions.

It has a short path, since that of a socket may have 107 bytes, and is this user's alone. One whose process was killed
is removed by the next.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = re.compile(r"amalthea-(\d+)-[a-z0-9_]+")


@contextmanager
def runtime_directory() -> Iterator[Path]:
    """A new one, removed at the end of the block."""
    parent = Path(tempfile.gettempdir())
    for left in parent.glob("amalthea-*"):
        if _is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=f"amalthea-{os.getpid()}-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _is_left(path: Path) -> bool:
    """Whether it is ours, a directory, and its process is gone; another's links and files are left alone."""
    found = _NAME.fullmatch(path.name)
    try:
        told = path.lstat()
    except OSError:
        return False
    mine = path.is_dir() and not path.is_symlink() and told.st_uid == os.geteuid()
    return found is not None and mine and not Path(f"/proc/{found[1]}").exists()
