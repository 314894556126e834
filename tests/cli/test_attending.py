"""The commands about notebook servers in use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import amalthea


def test_where_no_notebook_servers_run_the_command_says_so(tmp_path: Path) -> None:
    assert "no temporary notebook servers run" in amalthea("sessions", at=tmp_path, expect=2).stderr
    assert "no temporary notebook servers run" in amalthea("sessions", "stop", "abc", at=tmp_path, expect=2).stderr


@pytest.mark.system
def test_the_doctor_names_each_wall_and_fails_where_one_is_missing(tmp_path: Path) -> None:
    done = amalthea("doctor", "--json", at=tmp_path, expect=None)
    walls = json.loads(done.stdout)
    assert {"files", "network", "system-calls", "memory"} <= {wall["name"] for wall in walls}
    assert done.returncode == int(not all(wall["holds"] for wall in walls))
    assert all(wall["detail"] for wall in walls if not wall["holds"])
