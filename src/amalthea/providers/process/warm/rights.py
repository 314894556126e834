"""Give up every right that a session does not need, before anything of its visitor's runs."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from amalthea.providers.process.sandbox import calls, mounts, seccomp
from amalthea.providers.process.warm.forking import die_with
from amalthea.providers.process.warm.order import SessionOrder

_PROXY = "http://127.0.0.1:3128"
_KEPT = ("LANG", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def drop(order: SessionOrder, *, parent: int) -> None:
    """Become the session's own user, with limits, and no way back. Raises `OSError`.

    The kernel forgets at a change of user that this process was to die with its parent, so that is said once more.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = order.open_files if most == resource.RLIM_INFINITY else min(order.open_files, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    calls.bound_capabilities()
    if order.uid >= 0:
        os.setgroups([])
        os.setresgid(order.uid, order.uid, order.uid)
        os.setresuid(order.uid, order.uid, order.uid)
    die_with(parent, gently=not order.walled)
    calls.drop_capabilities()
    calls.prctl(calls.PR_SET_DUMPABLE, 0)
    calls.prctl(calls.PR_SET_NO_NEW_PRIVS, 1)
    if not seccomp.supported():
        seccomp.install()
    os.umask(0o077)


def environment(order: SessionOrder) -> dict[str, str]:
    """All that programs of the session find in their environment."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    programs = [f"{order.home}/.local/bin", f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin"]
    shell = next((path for path in ("/bin/bash", "/bin/sh") if Path(path).exists()), "")
    own = {
        "HOME": order.home,
        "USER": mounts.USER,
        "LOGNAME": mounts.USER,
        "SHELL": shell,
        "PATH": ":".join(programs),
        "JUPYTER_RUNTIME_DIR": "/run/jupyter" if order.walled else f"{order.home}/.local/share/jupyter/runtime",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return kept | own | _pip() | (_proxy() if order.walled else {})


def _pip() -> dict[str, str]:
    """Where nothing else can be written, pip puts packages below the home by itself: beside those installed.

    It is not told to, for then it would refuse to work in an environment that the visitor makes.
    """
    yes = ("PIP_BREAK_SYSTEM_PACKAGES", "PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK")
    return dict.fromkeys(yes, "1")


def _proxy() -> dict[str, str]:
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    beside = dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1")
    return dict.fromkeys(names, _PROXY) | beside
