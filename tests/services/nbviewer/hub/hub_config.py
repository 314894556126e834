"""A JupyterHub for a test: no proxy, anybody may log in, and it starts nbviewer as its service itself.

What differs from test to test comes in the environment. `jupyterhub` reads this file and provides `get_config`.
"""

from __future__ import annotations

import json
import os
from typing import Any

from jupyterhub.proxy import Proxy


class NoProxy(Proxy):  # type: ignore[misc]  # JupyterHub has no types
    """The test itself asks the hub or the service, whichever a path belongs to."""

    should_start = False

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        """Nothing to do."""

    async def delete_route(self, routespec: str) -> None:
        """Nothing to do."""

    async def get_all_routes(self) -> dict[str, Any]:
        """Every route is as it should be."""
        return {}


told = json.loads(os.environ["HUB_TEST"])
c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = told["url"]
c.JupyterHub.hub_port = told["port"]
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.log_level = "WARN"
c.Authenticator.allow_all = True
c.JupyterHub.services = [
    {
        "name": "nbviewer",
        "url": told["service"],
        "command": told["command"],
        "oauth_no_confirm": True,
        "environment": {"AMALTHEA_DIRECTORY": told["directory"]},
    }
]
c.JupyterHub.load_roles = [
    {"name": "readers", "scopes": ["access:services!service=nbviewer"], "users": ["ada", "grace"]},
    {"name": "user", "scopes": ["self"]},
]
