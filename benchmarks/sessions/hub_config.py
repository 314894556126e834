"""The JupyterHub of the benchmark. `jupyterhub` reads this file and provides `get_config`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.proxy import Proxy

told = json.loads(os.environ["SPAWN_BENCHMARK"])


class Noted(Proxy):  # type: ignore[misc]  # JupyterHub has no types
    """No proxy at all: the ports of servers are written down, and whoever asks goes there."""

    should_start = False

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        """A server is ready."""
        if "/user/" in routespec:
            note(routespec.strip("/").rpartition("/")[2], urlsplit(target).port)

    async def delete_route(self, routespec: str) -> None:
        """Nothing to do."""

    async def get_all_routes(self) -> dict[str, Any]:
        """Every route is as it should be."""
        return {}


def note(name: str, port: int | None) -> None:
    """Write a port down, whole."""
    part = Path(told["directory"], f"{name}.part")
    part.write_text(str(port))
    part.rename(part.with_suffix(".route"))


c = get_config()  # type: ignore[name-defined]  # noqa: F821
if not told["proxied"]:
    c.JupyterHub.proxy_class = Noted
c.JupyterHub.bind_url = f"http://127.0.0.1:{told['public']}"
c.JupyterHub.hub_port = told["port"]
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.log_level = "WARN"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = told["directory"] + "/{username}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.JupyterHub.services = [{"name": "benchmark", "api_token": told["token"]}]
c.JupyterHub.load_roles = [
    {"name": "benchmark", "scopes": ["admin:users", "admin:servers", "access:servers"], "services": ["benchmark"]}
]
