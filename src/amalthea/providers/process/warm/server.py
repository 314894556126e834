"""The notebook server of a session: JupyterLab, and the interface of Notebook, on a socket that listens already."""

from __future__ import annotations

import json
import os
import socket
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_server.serverapp import ServerApp
from traitlets.config import Application, Config

from amalthea.providers.process.warm.order import SessionOrder
from amalthea.providers.process.warm.prepared import TEMPLATES
from amalthea.providers.process.warm.provisioner import NAME, ForkProvisioner

_EXTENSIONS = {
    "jupyterlab": True,
    "notebook": True,
    "jupyter_server_terminals": True,
    "jupyter_lsp": False,
    "notebook_shim": False,
}
_QUIET = (
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/fileeditor-extension:language-server",
    "@jupyterlab/lsp-extension",
    "@jupyterlab/notebook-extension:language-server",
)
"""Parts of the interface that ask for news on the internet, or for what is switched off above."""
_BROWSERS_OWN = "@jupyterlite/"
"""Extensions for notebooks without a server, which may be installed beside it."""
_SAVING = {"renameUntitledOnSave": False, "autosaveInterval": 10}
"""Work that is not saved does not outlive the session, so nothing stands between a visitor and saving."""
_NO_NEWS = "jupyterlab.handlers.announcements.NeverCheckForUpdate"


class SocketServerApp(ServerApp):
    """A server that is given its socket. The method that it replaces is private: the tests pin it."""

    listener: socket.socket

    def _bind_http_server(self) -> None:
        self.listener.setblocking(False)
        self.http_server.add_socket(self.listener)

    def write_browser_open_files(self) -> None:
        """There is no browser in here to open them, and they would hold the token."""


class _Forking(EntryPoint):
    """What the factory of provisioners loads; nothing has to be installed for it."""

    def load(self) -> type[ForkProvisioner]:
        return ForkProvisioner


def run(order: SessionOrder, listener: socket.socket, requests: socket.socket) -> None:
    """Serve until told to stop."""
    os.setsid()
    SocketServerApp.listener = listener
    ForkProvisioner.requests = requests
    KernelProvisionerFactory.provisioners[NAME] = _Forking(NAME, "", KernelProvisionerFactory.GROUP_NAME)
    Application.parse_command_line = _no_command_line  # type: ignore[assignment, method-assign]
    _prefer_saving(Path(order.home))
    app = SocketServerApp.instance(config=configuration(order), jpserver_extensions=dict(_EXTENSIONS))
    app.initialize(argv=[], starter_extension="lab")
    app.start()


def _no_command_line(app: Application, argv: Any = None) -> None:
    """There is none here, and each of these applications would build a parser of hundreds of options for it."""
    app.argv, app.extra_args = [], []


def _prefer_saving(home: Path) -> None:
    """As the visitor's own settings, which he may change."""
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps(_SAVING))


def configuration(order: SessionOrder) -> Config:
    """What is not the environment's own choice. Files of the environment may set the rest."""
    config = Config()
    config.ServerApp.update(_server(order))
    config.IdentityProvider.token = order.token
    config.LabApp.update(extension_manager="readonly", news_url=None, check_for_updates_class=_NO_NEWS)
    config.LabServerApp.jinja2_options = {"bytecode_cache": TEMPLATES}
    config.ExtensionApp.open_browser = False
    config.Application.log_level = "WARN"
    config.KernelProvisionerFactory.default_provisioner_name = NAME
    if not order.walled:
        config.KernelManager.transport_encryption = "required"  # others are on this network
    return config


def _server(order: SessionOrder) -> dict[str, Any]:
    return {
        "base_url": order.base_url,
        "root_dir": order.home,
        "open_browser": False,
        "allow_remote_access": True,  # what reaches the socket has been let through by name already
        "cookie_secret": os.urandom(32),
        "quit_button": True,
        "jinja_environment_options": {"bytecode_cache": TEMPLATES},
        "tornado_settings": {"headers": _headers(order), "page_config_hook": _page},
    }


def _page(handler: Any, page: dict[str, Any]) -> dict[str, Any]:
    extensions = page.get("federated_extensions", [])
    page["federated_extensions"] = [one for one in extensions if not one["name"].startswith(_BROWSERS_OWN)]
    page["disabledExtensions"] = [*page.get("disabledExtensions", ()), *_QUIET]
    return page


def _headers(order: SessionOrder) -> dict[str, str]:
    ancestors = " ".join(["'self'", *order.ancestors])
    return {"Content-Security-Policy": f"frame-ancestors {ancestors}", "Referrer-Policy": "no-referrer"}
