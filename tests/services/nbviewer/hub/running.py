"""A real JupyterHub with nbviewer as its service, and a visitor's browser that knows both."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.machine import free_ports

PREFIX = "/services/nbviewer/"
_CONFIG = Path(__file__).with_name("hub_config.py")


class RunningHub:
    """Where the hub and the service listen, which a proxy would hide from visitors."""

    def __init__(self, hub: int, service: int) -> None:
        self.hub = hub
        self.service = service

    def address(self, path: str) -> str:
        """Where a path of the one public host is answered."""
        return f"http://127.0.0.1:{self.service if path.startswith(PREFIX) else self.hub}{path}"

    def content(self, path: str) -> httpx2.Response:
        """A path of the content origin, which also leads to the service."""
        headers = {"host": "content.example.org"}
        return httpx2.get(f"http://127.0.0.1:{self.service}{path}", headers=headers, trust_env=False)


class Browser:
    """One visitor: keeps cookies, follows redirects, remembers the way."""

    def __init__(self, where: RunningHub) -> None:
        self._where = where
        self._client = httpx2.Client(verify=False, timeout=20, trust_env=False)
        self.way: list[str] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    @property
    def cookies(self) -> httpx2.Cookies:
        """Everything that was set so far."""
        return self._client.cookies

    def ask(self, path: str, **headers: str) -> httpx2.Response:
        """One request, and nothing after it."""
        return self._client.get(self._where.address(path), headers=headers)

    def open(self, path: str) -> httpx2.Response:
        """A page, through every redirect; `way` has the paths that were passed."""
        self.way = [path]
        answer = self.ask(path)
        while answer.is_redirect and len(self.way) < 12:
            path = self._next(path, answer)
            self.way.append(path)
            answer = self.ask(path)
        return answer

    def log_in(self, name: str, page: httpx2.Response) -> httpx2.Response:
        """Fill in the form of the hub's login page, and follow where it leads."""
        form = re.search(r'<form[^>]*action="([^"]*)"', page.text)
        token = re.search(r'name="_xsrf" value="([^"]*)"', page.text)
        assert form is not None, page.text
        assert token is not None, page.text
        path = form[1].replace("&amp;", "&")
        fields = {"username": name, "password": "any", "_xsrf": token[1]}
        answer = self._client.post(self._where.address(path), data=fields)
        assert answer.is_redirect, answer.text
        return self.open(self._next(path, answer))

    def _next(self, path: str, answer: httpx2.Response) -> str:
        """Where a redirect leads, which has to be a path of the same host."""
        parts = urlsplit(urljoin(self._where.address(path), answer.headers["location"]))
        assert parts.hostname == "127.0.0.1", answer.headers["location"]
        return parts.path + (f"?{parts.query}" if parts.query else "")


@contextmanager
def running(directory: Path, *options: str) -> Iterator[RunningHub]:
    """The hub, which starts `amalthea serve nbviewer` with `options`; `directory` is where it keeps its things."""
    public, hub, service, admin = free_ports(4)
    command = [sys.executable, "-m", "amalthea", "serve", "nbviewer", "--admin-port", str(admin), *options]
    told = {
        "url": f"http://127.0.0.1:{public}",
        "port": hub,
        "service": f"http://127.0.0.1:{service}",
        "command": command,
        "directory": str(directory / "state"),
    }
    environment = {**os.environ, "HUB_TEST": json.dumps(told)}
    argv = [sys.executable, "-m", "jupyterhub", "-f", str(_CONFIG)]
    with (directory / "hub.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=directory, env=environment, stdout=log, stderr=log)
    try:
        made = RunningHub(hub, service)
        for path in ("/hub/login", f"{PREFIX}robots.txt"):
            _until_answered(made.address(path), process, directory / "hub.log")
        yield made
    finally:
        process.terminate()
        process.wait(15)


def _until_answered(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer:\n{log.read_text()}")
