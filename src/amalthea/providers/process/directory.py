"""What a fleet's directory holds on this machine, whatever the fleet file says today."""

from __future__ import annotations

import shutil
from pathlib import Path

from amalthea.providers.process.identity import real
from amalthea.providers.process.observation import scan


def sites(directory: Path) -> set[str]:
    """The names of the sites that have a process here: also those that left the fleet file meanwhile."""
    return {one.identity.site for one in scan(real(directory))}


def tidy(directory: Path) -> None:
    """Remove all that belongs to running things, unless something of the fleet runs. Logs and stores stay."""
    if not sites(directory):
        shutil.rmtree(directory / "run", ignore_errors=True)
