"""Which package indexes sessions may reach: those that pip uses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from amalthea.services.tmpnb.egress.indexes import index_hosts


def hosts(**environment: str) -> list[str]:
    """What a process in that environment is told."""
    script = "from amalthea.services.tmpnb.egress.indexes import index_hosts; print(*index_hosts())"
    quiet = {"PIP_CONFIG_FILE": os.devnull, "PATH": os.environ["PATH"], **environment}
    done = subprocess.run([sys.executable, "-c", script], env=quiet, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_without_a_word_about_it_they_are_the_public_index_and_where_its_files_are() -> None:
    found = hosts()
    assert len(found) == 2
    assert all("." in host for host in found)


def test_an_index_of_ones_own_is_reached_in_its_place() -> None:
    assert hosts(PIP_INDEX_URL="https://packages.example.edu/simple") == ["packages.example.edu"]


def test_a_second_index_is_reached_too() -> None:
    found = hosts(PIP_EXTRA_INDEX_URL="https://one.example.edu/simple https://two.example.edu:8443/simple")
    assert found[:2] == ["one.example.edu", "two.example.edu"]
    assert len(found) == 4


def test_an_interpreter_that_is_not_there_names_none(tmp_path: Path) -> None:
    assert index_hosts(str(tmp_path / "python")) == ()
