"""One start of a workload, or one change of a fleet, at a time, whoever commands it.

The lock is the kernel's (`flock`), so it ends with the process that holds it. The file is there only while
somebody works: the holder removes it before letting go, and whoever gets the lock on a removed
file tries again with a new one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amalthea.model.errors import ProviderError

PATIENCE_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.02


def _take(path: Path) -> int | None:
    """A descriptor that holds the lock, or None when somebody else does, or has just removed its directory."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_nlink:
            return file
    except BlockingIOError:
        pass
    os.close(file)
    return None


@contextmanager
def held(path: Path, *, patience: float = PATIENCE_SECONDS, doing: str = "starting it") -> Iterator[None]:
    """Hold the lock. Blocks for `patience` seconds at most. Raises `ProviderError`, with what is being done."""
    until = time.monotonic() + patience
    try:
        while (file := _take(path)) is None:
            if time.monotonic() > until:
                raise ProviderError(
                    f"another amalthea command is {doing} just now",
                    where=str(path),
                    hint="Wait until it is done; see `amalthea ps`.",
                )
            time.sleep(_LOOK_AGAIN_SECONDS)
    except OSError as error:
        raise ProviderError(
            f"cannot lock: {error.strerror}",
            where=str(path),
            hint="Make room on the disk, or let this user write there.",
        ) from error
    try:
        yield
    finally:
        if os.fstat(file).st_nlink:  # else it was swept away, and the name is somebody else's by now
            path.unlink(missing_ok=True)
        os.close(file)
