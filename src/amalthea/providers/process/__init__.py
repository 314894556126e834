"""Workloads as processes of this machine, each under a keeper of its own.

The operating system's process table is the only record: keepers and children carry in their environment whose
they are, and `running` reads it there. `keeper.py` says how a workload is kept, `observation.py` how it is found.
"""

from __future__ import annotations

from amalthea.providers.process.directory import sites, tidy
from amalthea.providers.process.lock import held
from amalthea.providers.process.provider import ProcessProvider
from amalthea.providers.process.settings import ProcessSettings

__all__ = ["ProcessProvider", "ProcessSettings", "held", "sites", "tidy"]
