"""Where the notebooks are that benchmarks render."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "AMALTHEA_CORPUS"
_BESIDE = Path(__file__).parents[3] / "shared" / "corpus"


def directory() -> Path:
    """The directory that `--corpus` or the variable names, else `../shared/corpus` beside the repository."""
    return Path(os.environ.get(VARIABLE, _BESIDE))
