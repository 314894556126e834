"""What a child has to shed of the process that forked it, before it is a process of its own."""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NoReturn

from amalthea.providers.process.sandbox import calls

_INHERITED_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def threads() -> int:
    """How many threads this process has."""
    return len(os.listdir("/proc/self/task"))


def fork() -> int:
    """Fork, but never a process with threads: their locks would stay held in the child for ever."""
    found = threads()
    if found != 1:
        raise RuntimeError(f"this process has {found} threads and cannot be forked safely")
    return os.fork()


def child(work: Callable[[], None], *, keep: Collection[int] = ()) -> int:
    """Fork a child that sheds what it inherited, does its work and ends. Returns its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = fork()
    if pid == 0:
        _run(work, keep)
    return pid


def _run(work: Callable[[], None], keep: Collection[int]) -> NoReturn:
    code = 70
    try:
        shed(keep)
        work()
        code = 0
    except SystemExit as asked:
        code = _code(asked)
    except BaseException:  # a child must never run on in its parent's frames
        sys.excepthook(*sys.exc_info())
    finally:
        _flush()
        os._exit(code)


def _code(asked: SystemExit) -> int:
    """As the interpreter does it: a text is shown, and means 1."""
    if asked.code is None or isinstance(asked.code, int):
        return asked.code or 0
    sys.stderr.write(f"{asked.code}\n")
    return 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def shed(keep: Collection[int] = ()) -> None:
    """Let go of descriptors other than the standard ones and `keep`, of signal handlers and of random states."""
    close_all_but(keep)
    signal.set_wakeup_fd(-1)
    for number in _INHERITED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tempfile.tempdir = None
    reseed()


def close_all_but(keep: Collection[int]) -> None:
    """Close every descriptor but 0, 1, 2 and these."""
    for number in sorted(int(name) for name in os.listdir("/proc/self/fd")):
        if number > 2 and number not in keep:
            try:
                os.close(number)
            except OSError:  # the one that listed the directory is gone already
                continue


def reseed() -> None:
    """Draw other numbers than the siblings. CPython sees to `random` by itself; numpy's global state is a copy."""
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def die_with(parent: int, *, gently: bool = False) -> None:
    """End when the parent does, by SIGKILL or gently by SIGTERM.

    `parent` is a pidfd of it, to see that it has not ended already.
    """
    calls.prctl(calls.PR_SET_PDEATHSIG, signal.SIGTERM if gently else signal.SIGKILL)
    ready, _, _ = select.select([parent], [], [], 0)
    if ready:
        os._exit(0)


def existing_paths() -> None:
    """Forget the directories of modules that this process cannot see any more."""
    sys.path[:] = [entry for entry in sys.path if Path(entry).exists()]
