from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.tmpnb.work.streaming import FILES, SIZE

ROOT = Path(__file__).parents[4]
MOST = 200 * 2**20


@pytest.mark.slow
@pytest.mark.system
def test_half_a_gigabyte_passes_through_a_bounded_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.tmpnb.work.streaming", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size, grown = map(int, done.stdout.split())
    assert size > FILES * SIZE
    assert grown < MOST < FILES * SIZE
