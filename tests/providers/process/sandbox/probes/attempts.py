"""To try something that ought to fail."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)


def worked(attempt: Callable[..., Any], *arguments: Any) -> bool:
    """Whether it raises no `OSError`."""
    try:
        attempt(*arguments)
    except OSError:
        return False
    return True


def called(name: str, *arguments: Any) -> int:
    """The error that a function of libc ends with, 0 for none."""
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return ctypes.get_errno() if result == -1 else 0


def read(path: str) -> None:
    """Open it to read."""
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))


def write(path: str) -> None:
    """Open it to write, and write nothing."""
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY))
