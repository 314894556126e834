"""Make files durable: `fsync` for a few, one `syncfs` for many.

`fsync` costs a flush of the disk for every file. `syncfs` costs one for all that is dirty on the file system:
that is what lets many writers share a flush. It has two drawbacks, both dealt with here. It tells of failed
writes only on some file systems and since Linux 5.8, so it is used only there. And it waits for what other
programs have written too: when it has been slow, files are synced one by one for a while, side by side.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_REPORTS_ERRORS = {"ext4", "xfs", "btrfs", "f2fs"}
_SINCE = (5, 8)
_FEW = 4
_SLOW_SECONDS = 0.25
_AVOID_SECONDS = 30.0
_SIDE_BY_SIDE = 16


class Syncer:
    """Syncs files of the file system that holds `directory`. Call `close` when done."""

    def __init__(self, directory: Path) -> None:
        shared = _kernel() >= _SINCE and file_system(directory) in _REPORTS_ERRORS
        self._libc = ctypes.CDLL(None, use_errno=True) if shared else None
        self._avoid_until = 0.0
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="amalthea-sync")

    def sync(self, root: int, descriptors: Sequence[int]) -> None:
        """Return when all are on the disk. `root` was opened before they were written. Raises `OSError`."""
        if len(descriptors) < _FEW:
            for descriptor in descriptors:
                os.fsync(descriptor)
        elif self._libc is not None and time.monotonic() >= self._avoid_until:
            self._sync_all(self._libc, root)
        else:
            list(self._pool.map(os.fsync, descriptors))

    def _sync_all(self, libc: ctypes.CDLL, root: int) -> None:
        started = time.monotonic()
        if libc.syncfs(root) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        if time.monotonic() - started > _SLOW_SECONDS:
            self._avoid_until = time.monotonic() + _AVOID_SECONDS

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def file_system(directory: Path) -> str:
    """The kind of file system that holds a directory, such as `ext4`; "" when the system does not say."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return ""
    real = directory.resolve()
    holding = [(len(point), order, kind) for order, (_, point, kind, *_) in enumerate(mounts) if _holds(point, real)]
    return max(holding, default=(0, 0, ""))[2]


def _holds(mount_point: str, path: Path) -> bool:
    plain = mount_point.encode().decode("unicode_escape")  # a space is written \040
    return path.is_relative_to(plain)


def _kernel() -> tuple[int, ...]:
    return tuple(int(number) for number in os.uname().release.split("-")[0].split(".")[:2] if number.isdigit())
