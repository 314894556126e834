"""The warm parent: imports everything once, then forks a session for each message.

It has no event loop, no thread, no socket but the one to its owner, and never sees what a session is told: each
session reads its own order after the fork. When the owner is gone, so is it, and every session with it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from amalthea.providers.process.warm import messages, preload
from amalthea.providers.process.warm.forking import child, threads


def run(channel: int, modules: Sequence[str]) -> None:
    """Serve the socket with that number until its other end is closed."""
    with socket.socket(fileno=channel) as owner:
        owner.set_inheritable(False)
        installed = fingerprint(sys.path)
        missing = preload.load(modules)
        from amalthea.providers.process.warm import prepared, session

        prepared.prepare()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        own = os.pidfd_open(os.getpid())
        messages.send(owner, {**_about(missing), "installed": installed})
        while True:
            message, descriptors = messages.receive(owner)
            if message is None:
                return
            listener, control = descriptors[0], socket.socket(fileno=descriptors[1])
            _fork(session.run, listener, control, own)


def _fork(work: Any, listener: int, control: socket.socket, own: int) -> None:
    keep = (listener, control.fileno(), own)
    try:
        child(lambda: work(listener, control, parent=own), keep=keep)
    except OSError as error:
        messages.send(control, {"event": "failed", "problem": f"cannot fork: {error.strerror}"})
    finally:
        control.close()
        os.close(listener)


def fingerprint(directories: Sequence[str]) -> dict[str, int]:
    """When each directory of modules last changed, in nanoseconds: installing a package shows in its directory."""
    found = {}
    for path in directories:
        try:
            found[path] = os.stat(path).st_mtime_ns
        except OSError:
            continue
    return found


def _packages() -> list[str]:
    """Directories of installed packages, also those that a `.pth` file names; any other place may hold secrets."""
    return [path for path in sys.path if os.path.basename(path) in {"site-packages", "dist-packages"}]


def _about(missing: Sequence[str]) -> dict[str, Any]:
    """What the owner needs to know of this interpreter."""
    return {
        "threads": threads(),
        "modules": len(sys.modules),
        "missing": list(missing),
        "readable": sorted({sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *_packages()}),
    }
