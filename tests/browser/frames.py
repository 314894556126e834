"""A page and a content origin for frames: two hosts, the real renderer, policy and files, and nothing else."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from amalthea.services.nbviewer.render import Options, render
from amalthea.services.nbviewer.render.active import frame_csp, libraries
from amalthea.web.static_files import StaticFiles
from tests.machine import free_port


class Origins:
    """Renders notebooks at `page`, shows their frames at `content`."""

    def __init__(self, port: int) -> None:
        self.page = f"http://nbviewer.localhost:{port}"
        self.content = f"http://content.localhost:{port}"
        self.static = StaticFiles("amalthea.web", "amalthea.services.nbviewer")
        self._pages: dict[str, str] = {}
        self._frames: dict[str, str] = {}
        self._files = {library.served: library for library in libraries().values()}

    def show(self, name: str, notebook: bytes) -> str:
        """The address of a notebook's page."""
        rendered = render(notebook, Options(content=self.content))
        self._frames |= {frame.digest: frame.body for frame in rendered.frames}
        sheets = "".join(
            f'<link rel="stylesheet" href="{self.static.url(f)}">' for f in ("amalthea.css", "notebook.css")
        )
        self._pages[name] = (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title>{sheets}"
            f'<script defer src="{self.static.url("frames.js")}"></script><main>{rendered.body}</main></html>'
        )
        return f"{self.page}/page/{name}"

    def application(self) -> Starlette:
        """Both hosts in one."""
        return Starlette(
            routes=[
                Route("/page/{name}", self._page),
                Route("/frame/{digest}", self._frame),
                Route("/lib/{name}", self._library),
                Route("/static/{name}", self.static.answer),
                Route("/favicon.ico", self._nothing),
            ]
        )

    async def _page(self, request: Request) -> Response:
        csp = (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; font-src 'self'; "
            f"frame-src {self.content}"
        )
        return HTMLResponse(self._pages[request.path_params["name"]], headers={"content-security-policy": csp})

    async def _frame(self, request: Request) -> Response:
        csp = frame_csp(self.content, ("https:",), ancestors=(self.page,))
        return HTMLResponse(self._frames[request.path_params["digest"]], headers={"content-security-policy": csp})

    async def _library(self, request: Request) -> Response:
        library = self._files[request.path_params["name"]]
        body = gzip.decompress(library.body()) if library.encoding else library.body()
        return Response(body, media_type=library.media_type, headers={"access-control-allow-origin": "*"})

    async def _nothing(self, request: Request) -> Response:
        return Response(status_code=204)


@contextmanager
def origins() -> Iterator[Origins]:
    """Both, answering until the block ends."""
    port = free_port()
    made = Origins(port)
    server = uvicorn.Server(uvicorn.Config(made.application(), port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        yield made
    finally:
        server.should_exit = True
        thread.join()
