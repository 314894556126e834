"""The site as one process has it: there, being built since somebody wanted it, or not to be had.

It is built once on a machine, by a process of its own and with the lowest priority, into the user's cache; whoever
comes meanwhile is asked to wait a little.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from amalthea.services.tmpnb.lite.parts import missing_packages
from amalthea.services.tmpnb.lite.serving import lite_app
from amalthea.services.tmpnb.lite.site import Site, lite_site
from amalthea.web.application import PageError

log = logging.getLogger(__name__)

_AGAIN = {"retry-after": "5", "refresh": "5"}
_LAST_LINES = 3


def cache_directory() -> Path:
    """Where the site is kept for all fleets of this user."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        (cache / "amalthea").mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        cache = Path(tempfile.gettempdir()) / f"cache-{os.getuid()}"
    return cache / "amalthea" / "lite"


class FirstUse:
    """The application below `/lite/`. Whoever made it closes it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._app: ASGIApp | None = None
        self._building: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.trouble = ""

    @property
    def offered(self) -> bool:
        """Whether people are sent there: it is there, or can be built."""
        return not self.trouble and (self._app is not None or self._found() or not missing_packages())

    def begin(self) -> None:
        """Somebody will want it: have it built, where it is not."""
        if self._app is None and not self._found() and self._building is None and not missing_packages():
            self._building = asyncio.create_task(self._build())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the site, or say that it comes."""
        if self._app is None and not self._found():
            self.begin()
            if self._building is None or self.trouble:
                raise PageError(404, "There is no JupyterLite here.", hint=self.trouble)
            raise PageError(
                503,
                "JupyterLite is being prepared. That takes half a minute, once.",
                hint="This page goes on by itself.",
                headers=_AGAIN,
            )
        assert self._app is not None
        await self._app(scope, receive, send)

    def _found(self) -> bool:
        site = lite_site(self._directory)
        if site is not None:
            self._serve(site)
        return site is not None

    def _serve(self, site: Site) -> None:
        self._app = lite_app(site)
        log.info("JupyterLite is there: %s", site.summary())

    async def _build(self) -> None:
        command = (sys.executable, "-m", "amalthea.services.tmpnb.lite", str(self._directory), "--if-needed")
        self._process = await asyncio.create_subprocess_exec(
            "nice", "-n", "19", *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
        said, _ = await self._process.communicate()
        if self._process.returncode or not self._found():
            self.trouble = " ".join(said.decode(errors="replace").split("\n")[-_LAST_LINES:]).strip()
            log.error("JupyterLite could not be built: %s", self.trouble)

    async def aclose(self) -> None:
        """End a build that is under way; the next one removes what it left."""
        if self._building is None:
            return
        self._building.cancel()
        await asyncio.gather(self._building, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
