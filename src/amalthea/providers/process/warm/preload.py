"""What a warm parent imports, so that no session has to: what a server and a kernel have loaded once they work.

A name that this environment does not have is left out. `python -X importtime` and a look at `sys.modules` of a
session that has shown a page and run a cell say what is missing here.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterable
from types import ModuleType

SERVER = (
    "jupyter_server.serverapp",
    "jupyterlab.labapp",
    "notebook.app",
    "jupyter_server_terminals.app",
    "jupyter_server.base.handlers",
    "jupyter_server.files.handlers",
    "jupyter_server.auth.login",
    "jupyter_server.gateway.managers",
    "jupyter_server.kernelspecs.handlers",
    "jupyter_server.nbconvert.handlers",
    "jupyter_server.view.handlers",
    "jupyter_server.services.api.handlers",
    "jupyter_server.services.config.handlers",
    "jupyter_server.services.contents.handlers",
    "jupyter_server.services.contents.largefilemanager",
    "jupyter_server.services.events.handlers",
    "jupyter_server.services.kernels.handlers",
    "jupyter_server.services.kernels.websocket",
    "jupyter_server.services.kernels.connection.channels",
    "jupyter_server.services.kernelspecs.handlers",
    "jupyter_server.services.nbconvert.handlers",
    "jupyter_server.services.security.handlers",
    "jupyter_server.services.sessions.handlers",
    "jupyter_server.services.sessions.sessionmanager",
    "jupyter_server.services.shutdown",
    "jupyter_server_terminals.api_handlers",
    "jupyter_server_terminals.handlers",
    "jupyter_server_terminals.terminalmanager",
    "jupyterlab.handlers.announcements",
    "jupyterlab.handlers.build_handler",
    "jupyterlab.handlers.error_handler",
    "jupyterlab.handlers.extension_manager_handler",
    "jupyterlab.handlers.plugin_manager_handler",
    "jupyterlab.extensions.readonly",
    "jupyterlab_server.handlers",
    "jupyterlab_server.listings_handler",
    "jupyterlab_server.settings_handler",
    "jupyterlab_server.themes_handler",
    "jupyterlab_server.translations_handler",
    "jupyterlab_server.translation_utils",
    "jupyterlab_server.workspaces_handler",
    "jupyterlab_server.licenses_handler",
    "jupyter_client.provisioning.factory",
    "jupyter_client.asynchronous.client",
    "jupyter_core.migrate",
    "tornado.platform.asyncio",
    "tornado.websocket",
    "tornado.queues",
    "tornado.locks",
    "zmq.asyncio",
    "zmq.eventloop.zmqstream",
    "jinja2.ext",
    "json5",
    "babel",
    "terminado.management",
    "nbformat.v4",
    "sqlite3",
)
KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "debugpy",
    "debugpy.server.api",
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "IPython.core.magics",
    "psutil",
    "pdb",
    "IPython.core.debugger",
    "IPython.core.logger",
    "ipykernel.kernelspec",
    "notebook.services",
    "xmlrpc.client",
    "comm",
    "ipykernel.comm",
    "faulthandler",
    "jedi",
)


def load(more: Iterable[str]) -> list[str]:
    """Import everything, and let no child copy it by collecting garbage. Returns those of `more` that are missing."""
    programs = os.environ.get("PATH", "")
    os.environ["PATH"] = ""  # JupyterLab asks `node`, where it finds it, something that sessions have no use for
    _skip_grammars()
    try:
        for name in (*SERVER, *KERNEL):
            _imported(name)
        missing = [name for name in more if not _imported(name)]
    finally:
        os.environ["PATH"] = programs
        sys.modules.pop("rfc3987_syntax", None)
    sys.path_importer_cache.clear()  # names of all files beside what was imported: nobody needs them any more
    gc.collect()
    gc.freeze()
    return missing


def _imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _skip_grammars() -> None:
    """`rfc3987_syntax` compiles dozens of grammars when imported, for formats that no schema here asks for."""
    if "rfc3987_syntax" in sys.modules:
        return
    stand_in = ModuleType("rfc3987_syntax")
    stand_in.is_valid_syntax = lambda *_: True  # type: ignore[attr-defined]
    sys.modules["rfc3987_syntax"] = stand_in
