"""An application below a path: what stands before its own paths is taken off before it sees a request.

Inside, no route knows where it is; whoever writes an address puts the same base before it again.
"""

from __future__ import annotations

from urllib.parse import unquote

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Based:
    """`app` below `base`, which begins and ends with a slash and is written as in a request, with its escapes."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what lies below the base; its door and the one of the whole host lead to it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        raw = scope["raw_path"].decode("latin-1")
        if raw.startswith(self.base):
            below = raw[len(self.base) - 1 :]
            # In place: what is noted in it on the way, such as the route, is for those around it, too.
            scope.update(path=unquote(below), raw_path=below.encode("latin-1"))
            await self.app(scope, receive, send)
        elif raw in ("/", self.base.rstrip("/")):
            await RedirectResponse(self.base, status_code=302)(scope, receive, send)
        else:
            await PlainTextResponse(f"There is nothing here. See {self.base}\n", 404)(scope, receive, send)
