"""A user without any right gets walls as well, from user namespaces: the same programs do not get past them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.providers.process.warm.test_unprivileged import run_as_stranger

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.xdist_group("escapes"),
    pytest.mark.slow,
    pytest.mark.privileged,
    pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root"),
]


@pytest.mark.parametrize("module", ["test_escapes.py", "test_greed.py", "test_cgroups.py"])
def test_another_user_runs_the_same_tests(module: str) -> None:
    done = run_as_stranger(str(HERE / module))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-4000:]
    assert "passed" in done.stdout
