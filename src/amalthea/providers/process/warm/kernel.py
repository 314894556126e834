"""A Python kernel, forked from pid 1 of its session with everything imported."""

from __future__ import annotations

import os
import site
import socket
import sys
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp

from amalthea.providers.process.sandbox import calls

READY = b"!"
"""What a kernel says once its sockets are bound: a client that connects earlier waits for a second try."""

_ENDED_FIRST = 300
"""Added to a kernel's chance to be ended where memory runs out, so that the server lives and can say so."""


def user_packages() -> str:
    """Where `pip install --user` puts packages of this interpreter, for the home of now."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return str(Path(os.environ["HOME"], ".local", "lib", version, "site-packages"))


def run(request: dict[str, Any], reply: socket.socket) -> None:
    """Be the kernel of that connection file until it ends. `request` holds `connection_file`, `cwd` and `env`."""
    os.setsid()
    _be_an_ordinary_process()
    os.environ.clear()
    os.environ.update(request["env"])
    os.environ.pop("JPY_PARENT_PID", None)  # its parent is pid 1, which it would take for being an orphan
    os.chdir(request["cwd"])
    _find_packages()
    sys.argv = ["ipykernel_launcher", "-f", request["connection_file"]]
    app = ForkedKernelApp.instance(ready=reply, connection_file=request["connection_file"])
    app.initialize([])  # type: ignore[no-untyped-call]
    app.start()  # type: ignore[no-untyped-call]


def _be_an_ordinary_process() -> None:
    """Let a debugger read the process's own files, which after a change of user it cannot; and be ended first."""
    calls.prctl(calls.PR_SET_DUMPABLE, 1)
    Path("/proc/self/oom_score_adj").write_text(str(_ENDED_FIRST))


def _find_packages() -> None:
    """Those of the user, with their `.pth` files, and the notebook's own directory first."""
    site.ENABLE_USER_SITE = True
    site.USER_SITE = user_packages()
    site.USER_BASE = str(Path(site.USER_SITE).parents[2])
    known = {os.path.abspath(path) for path in sys.path} - {site.USER_SITE}
    sys.path[:] = [path for path in sys.path if path != site.USER_SITE]
    site.addsitedir(site.USER_SITE, known)
    sys.path.insert(0, "")
    for name in [name for name in sys.modules if name.partition(".")[0] == "amalthea"]:
        del sys.modules[name]


class ForkedKernelApp(IPKernelApp):
    """A kernel that says when it can be reached. Its name shows in what it says of its options: no underscore."""

    def __init__(self, *, ready: socket.socket, **settings: Any) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]
        self._ready = ready

    def parse_command_line(self, argv: Any = None) -> None:
        """There is none, and a parser of all options takes long to build."""
        self.argv, self.extra_args = [], []

    def log_connection_info(self) -> None:
        """Called right after the sockets are bound and the file is written; there is nobody to print to."""
        with self._ready:
            self._ready.send(READY)
