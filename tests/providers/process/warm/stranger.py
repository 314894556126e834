"""Run a command as a user without any right: `python stranger.py DIRECTORY COMMAND...`; the directory becomes its own.

An interpreter below a directory that strangers cannot pass through is shown at the same place, in a mount namespace
of this process alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from amalthea.providers.process.sandbox import calls

STRANGER = 65_533


def first_closed(path: Path) -> Path | None:
    """The uppermost directory on the way that others cannot pass through."""
    return next((one for one in (*reversed(path.parents), path) if not one.stat().st_mode & 0o001), None)


def pass_through(path: Path) -> None:
    """Let everybody come to that directory, here."""
    closed = first_closed(path)
    if closed is None:
        return
    calls.unshare(calls.CLONE_NEWNS)
    kept = os.open(path, os.O_PATH)
    calls.mount("none", "/", flags=calls.MS_REC | calls.MS_PRIVATE)
    calls.mount("shown", str(closed), "tmpfs", 0, "mode=0755")
    path.mkdir(parents=True)
    calls.mount(f"/proc/self/fd/{kept}", str(path), flags=calls.MS_BIND | calls.MS_REC)
    os.close(kept)


def main() -> None:
    directory, *command = sys.argv[1:]
    os.chown(directory, STRANGER, STRANGER)
    pass_through(Path(sys.base_prefix))
    os.setgroups([])
    os.setresgid(STRANGER, STRANGER, STRANGER)
    os.setresuid(STRANGER, STRANGER, STRANGER)
    own = {"HOME": directory, "TMPDIR": directory, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    os.execve(command[0], command, own)


if __name__ == "__main__":
    main()
