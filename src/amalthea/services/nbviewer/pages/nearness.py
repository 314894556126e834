"""Local files only for whoever asks for this machine by one of its own names.

A server that listens on loopback is out of reach for other machines, but not for a page in a browser on this one: any
site can let its name lead to 127.0.0.1 and read what answers there as if it were its own (DNS rebinding). The browser
then says that site's name in the Host header. An address, or a name below `localhost`, no other site can have.
"""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from amalthea.web.hosts import bare

_MISDIRECTED = 421
_ADVICE = (
    "This nbviewer shows local files to this machine only, and is not known by the name that was asked for.\n"
    "Open it as http://localhost and its port. To show the files to others, listen on an address of the network.\n"
)


class Near:
    """The application, for requests that name this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or say why not."""
        if scope["type"] != "http" or is_near(bare(Headers(scope=scope).get("host", ""))):
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse(_ADVICE, _MISDIRECTED, {"cache-control": "no-store"})(scope, receive, send)


def is_near(host: str) -> bool:
    """Whether a host without its port is this machine's `localhost` or an address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
