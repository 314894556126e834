"""A Docker engine for the tests: one that answers already, or one of our own that touches no network of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LACKING = "no Docker engine answers, and starting one takes root and the package docker.io"
_APART = ("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
_PATIENCE = 30.0
_GROUPS = Path("/sys/fs/cgroup")
_GROUP = "amalthea-docker-tests"


def answering() -> str:
    """The address of an engine that is there, or nothing."""
    address = os.environ.get("DOCKER_HOST", "unix:///run/docker.sock")
    return address if shutil.which("docker") and _answers(address) else ""


def can_start() -> bool:
    """Whether this machine lets us start one."""
    return os.geteuid() == 0 and all(shutil.which(name) for name in ("dockerd", "docker", "containerd", "runc"))


class Unstartable(Exception):
    """The daemon is installed and does not run here: in a container, or without the kernel's support."""


@contextmanager
def started() -> Iterator[str]:
    """The address of an engine of our own; all of it is in one directory, and gone afterwards.

    Raises `Unstartable`.
    """
    place = Path(tempfile.mkdtemp(prefix="amalthea-docker-"))
    address = f"unix://{place}/docker.sock"
    places = [f"--data-root={place}/data", f"--exec-root={place}/exec", f"--pidfile={place}/pid"]
    argv = ["dockerd", f"--host={address}", *places, f"--cgroup-parent={_GROUP}", *_APART]
    with (place / "log").open("wb") as log:
        daemon = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
    try:
        _await(address, daemon, place / "log")
        _check(address)
        yield address
    finally:
        daemon.terminate()
        try:
            daemon.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
        shutil.rmtree(place, ignore_errors=True)
        for group in (*_GROUPS.glob(_GROUP), *_GROUPS.glob(f"*/{_GROUP}")):
            with suppress(OSError):  # another process of these tests has one there
                group.rmdir()


def _await(address: str, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(address):
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise Unstartable(f"dockerd does not start here: {log.read_text()[-500:]}")
        time.sleep(0.1)


def _check(address: str) -> None:
    """An engine without enough rights answers, and can do nothing."""
    argv = ["docker", "--host", address, "import", "-", "amalthea-test-empty"]
    tried = subprocess.run(argv, input=bytes(10240), capture_output=True, check=False)
    if tried.returncode:
        raise Unstartable(f"dockerd makes no image here: {tried.stderr.decode()[-500:]}")


def _answers(address: str) -> bool:
    argv = ["docker", "--host", address, "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
