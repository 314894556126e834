"""Several public names, one process: which application answers is decided by the Host header.

Applications on different names share nothing in a browser, so the choice stands in front of all of them and no
path of one can be asked for under the name of another.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class Hosts:
    """`others` by their names, in lower case and without a port; every name that is not there is `app`'s."""

    def __init__(self, app: ASGIApp, others: Mapping[str, ASGIApp]) -> None:
        self.app = app
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to the application that has this name."""
        app = self.app
        if scope["type"] in ("http", "websocket"):
            app = self.others.get(bare(Headers(scope=scope).get("host", "")), self.app)
        await app(scope, receive, send)


def bare(authority: str) -> str:
    """The name in `name:port`, as it is compared: lower case, no dot at the end."""
    name, _, port = authority.rpartition(":")
    if not name or not port.isdecimal():  # no port, or an address in brackets without one
        name = authority.removesuffix(":")
    return name.lower().removesuffix(".")
