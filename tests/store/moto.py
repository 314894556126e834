"""A real S3 server on loopback, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

_START_SECONDS = 30.0


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """The URL of a server that holds no bucket yet."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], stdout=output, stderr=output
        )
    try:
        yield f"http://127.0.0.1:{_port(process, log)}"
    finally:
        process.terminate()
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        _, found, rest = log.read_text().partition("Running on http://127.0.0.1:")
        if found and "\n" in rest:
            return int(rest.split()[0])
        time.sleep(0.05)
    raise RuntimeError(f"the S3 server did not start:\n{log.read_text()}")


def make_bucket(server: str, name: str) -> None:
    """Create a bucket."""
    connection = HTTPConnection(server.removeprefix("http://"), timeout=10)
    connection.request("PUT", f"/{name}")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200, response.status


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """These variables for a while: a bucket's settings come from the environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def credentials(server: str) -> dict[str, str]:
    """The environment in which a bucket store finds the server."""
    return {
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
    }
