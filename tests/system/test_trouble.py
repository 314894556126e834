"""Bad input and bad days: each ends in a clear message, and nothing is half done."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.machine import free_ports, small_disk
from tests.system.laptop import Laptop, background, laptop

pytestmark = pytest.mark.system


def fill(directory: Path) -> None:
    """Write until nothing more fits."""
    with (directory / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            continue


def nothing_runs(fleet: Laptop) -> bool:
    return fleet.processes() == []


@pytest.mark.slow
@pytest.mark.privileged
def test_a_full_disk_at_the_start_is_told_and_nothing_is_left_running() -> None:
    with laptop() as fleet, small_disk(fleet.state / "store" / "north", size="64k") as disk:
        fill(disk)
        failed = fleet.run("apply", expect=1)
        assert "the disk is full" in failed.stderr
        assert str(disk) in failed.stderr
        assert nothing_runs(fleet)


@pytest.mark.privileged
def test_a_disk_that_fills_up_later_costs_no_page() -> None:
    with laptop() as fleet, small_disk(fleet.state / "store" / "north", size="256k") as disk:
        fleet.run("apply")
        fill(disk)
        for service, path in (("nbviewer", "/sample"), ("nbviewer", "/"), ("status", "/")):
            assert fleet.get(path, service=service, x_amalthea_site="north").status_code == 200
        fleet.run("down")


@pytest.mark.slow
def test_a_store_that_cannot_be_used_is_told() -> None:
    with laptop() as fleet:
        (fleet.state / "store").mkdir(parents=True)
        (fleet.state / "store" / "north").write_text("this is a file")
        failed = fleet.run("apply", expect=1)
        assert str(fleet.state / "store" / "north") in failed.stderr
        assert nothing_runs(fleet)


def test_a_killed_envoy_is_back_before_people_reload() -> None:
    with laptop() as fleet, background(fleet.command("up", "--plain")):
        fleet.until({"nbviewer": 200, "status": 200})
        (envoy,) = [p for p in fleet.processes("here") if p.environ()["AMALTHEA_ROLE"] != "keeper"]
        envoy.send_signal(signal.SIGKILL)
        fleet.until({"nbviewer": 200, "status": 200}, seconds=3)


NOTEBOOKS = {
    "good.ipynb": b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "markdown", "source": "# Hello"}]}',
    "broken.ipynb": b"not JSON at all",
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[str]:
    """A GitHub with one repository, ada/notes, as settings of nbviewer."""
    repository = tmp_path / "ada" / "notes"
    repository.mkdir(parents=True)
    for name, body in NOTEBOOKS.items():
        (repository / name).write_bytes(body)
    (port,) = free_ports(1)
    argv = [
        sys.executable,
        "-m",
        "tests.services.nbviewer.sources.github_server",
        "--port",
        str(port),
        "--directory",
        str(tmp_path),
    ]
    with background(argv) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        yield "\n".join(f"{key} = {json.dumps(value)}" for key, value in told.items())


def test_notebooks_that_are_missing_broken_or_out_of_reach_give_pages_that_say_so(github: str) -> None:
    with laptop(nbviewer=github) as fleet:
        fleet.run("apply")
        page = fleet.get("/github/ada/notes/blob/main/good.ipynb")
        assert page.status_code == 200
        assert re.search(r"<h1[^>]*>.*Hello", page.text)
        wrong = {
            422: fleet.get("/github/ada/notes/blob/main/broken.ipynb"),
            404: fleet.get("/github/ada/notes/blob/main/missing.ipynb"),
            400: fleet.get("/url/127.0.0.1/private.ipynb"),
        }
        assert {status: answer.status_code for status, answer in wrong.items()} == {status: status for status in wrong}
        for answer in wrong.values():
            assert "<h1>" in answer.text
            assert "Traceback" not in answer.text


def test_a_page_seen_at_one_site_is_there_at_the_other_when_its_source_is_gone(github: str) -> None:
    path = "/github/ada/notes/blob/main/good.ipynb"
    with laptop(nbviewer=github) as fleet:
        fleet.run("apply")
        assert fleet.get(path, x_amalthea_site="north").status_code == 200
        time.sleep(1)
        for process in psutil.Process().children(recursive=True):
            if "tests.services.nbviewer.sources.github_server" in process.cmdline():
                process.kill()
        fleet.signal("north", signal.SIGKILL)
        answer = fleet.get(path)
        assert (answer.status_code, answer.headers["x-amalthea-site"]) == (200, "south")
