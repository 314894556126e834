"""All of it works for a user without rights: with user namespaces, and without any."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STRANGER = HERE / "stranger.py"

pytestmark = [
    pytest.mark.xdist_group("warm"),
    pytest.mark.slow,
    pytest.mark.privileged,
    pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root"),
]


def run_as_stranger(*tests: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="u-") as directory:
        pytest_argv = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests]
        return subprocess.run(
            [sys.executable, str(STRANGER), directory, *pytest_argv],
            cwd=HERE.parents[3],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parents[3])},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize("module", ["test_contract.py", "test_plain.py", "test_walls.py"])
def test_another_user_runs_the_same_tests(module: str) -> None:
    done = run_as_stranger(str(HERE / module))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "passed" in done.stdout
