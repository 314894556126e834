"""A whole fleet of real processes for a test, driven by the `amalthea` command as a person would."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests.machine import free_ports

FLEET = """
[fleet]
name = "test"
domain = "localhost"
blast_radius = 1.0

[providers.north]
kind = "process"

[providers.south]
kind = "process"

[edge]
on = "here"
listen = "127.0.0.1:{port}"
{edge}

"""
SERVICES = """
[services.nbviewer]
{nbviewer}

[services.status]
interval = "1 s"
"""


class Laptop:
    """One fleet in a directory of its own. `port` is where its edge listens; `services` are other ones than usual."""

    def __init__(
        self, directory: Path, *, port: int, edge: str = "", nbviewer: str = "", services: str = SERVICES
    ) -> None:
        self.directory = directory
        self.port = port
        self.services = services
        self.environment: Mapping[str, str] | None = None
        """What commands run with instead of the environment of the test."""
        self.file = directory / "fleet.toml"
        self.state = directory / "state"
        self.write(edge=edge, nbviewer=nbviewer)

    def write(self, *, edge: str = "", nbviewer: str = "") -> None:
        """Write the fleet file anew."""
        self.file.write_text((FLEET + self.services).format(port=self.port, edge=edge, nbviewer=nbviewer))

    def command(self, *words: str) -> list[str]:
        """The argument list of one `amalthea` command for this fleet."""
        return [sys.executable, "-m", "amalthea", "--fleet", str(self.file), "--directory", str(self.state), *words]

    def run(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; its exit code has to be `expect`."""
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def rows(self) -> list[dict[str, Any]]:
        """What `ps` says."""
        rows: list[dict[str, Any]] = json.loads(self.run("ps", "--json").stdout)
        return rows

    def processes(self, site: str = "") -> list[psutil.Process]:
        """Every process of this fleet, or of one site: the keepers and what they keep."""
        found = []
        for process in psutil.process_iter():
            try:
                told = process.environ()
            except psutil.Error:
                continue
            mine = told.get("AMALTHEA_FLEET_DIRECTORY") == str(self.state.resolve())
            if mine and site in {"", told.get("AMALTHEA_SITE")}:
                found.append(process)
        return found

    def signal(self, site: str, number: signal.Signals) -> None:
        """Send a signal to every process of a site, or of all sites for an empty name, at once."""
        for process in self.processes(site):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def get(self, path: str = "/", *, service: str = "nbviewer", **headers: str) -> httpx2.Response:
        """One page through the edge."""
        named = {"host": f"{service}.localhost:{self.port}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", headers=named, timeout=10, trust_env=False)

    def until(self, wanted: Mapping[str, int], *, seconds: float = 15, **headers: str) -> None:
        """Until each service answers its status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                found = {service: self.get(service=service, **headers).status_code for service in wanted}
            except httpx2.HTTPError:
                found = {}
            if found == wanted:
                return
            time.sleep(0.1)
        raise TimeoutError(f"{found} instead of {wanted}")


@contextmanager
def laptop(*, edge: str = 'home = "north"', nbviewer: str = "", services: str = SERVICES) -> Iterator[Laptop]:
    """A fleet of which nothing is left when the block ends, whatever happened inside."""
    directory = Path(tempfile.mkdtemp(prefix="amalthea"))
    (port,) = free_ports(1)
    made = Laptop(directory, port=port, edge=edge, nbviewer=nbviewer, services=services)
    try:
        yield made
    finally:
        made.signal("", signal.SIGKILL)
        psutil.wait_procs(made.processes(), timeout=10)
        shutil.rmtree(directory)


@contextmanager
def background(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A command that runs beside the test and is ended with it."""
    process = subprocess.Popen(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
