"""nbconvert on the same files: its `HTMLExporter` with the lab template, warm, in processes of its own.

It is taken from this environment, or from the one whose Python is named by AMALTHEA_NBCONVERT.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

_SCRIPT = """
import json, logging, resource, sys, time, warnings
import nbformat
from nbconvert import HTMLExporter
warnings.simplefilter("ignore"); logging.disable(50)
exporter, times, failed, empty = HTMLExporter(template_name="lab"), [], 0, 0
for number, file in enumerate([sys.argv[1], *sys.argv[1:]]):
    started = time.process_time()
    try:
        body, _ = exporter.from_notebook_node(nbformat.read(file, as_version=4))
    except Exception:
        failed, body = failed + (number > 0), "failed"
    if number:
        times.append(time.process_time() - started)
        empty += not body
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"times": times, "failed": failed, "empty": empty, "peak": peak}))
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds for each notebook, how many failed or came out empty, and the most memory held, in MiB."""

    times: list[float]
    failed: int
    empty: int
    peak: float


def alternately(ours: str, files: Sequence[Path], *, turns: int) -> tuple[Run, Run | None]:
    """What the files cost the script `ours`, and nbconvert, None where there is none.

    They take turns, each with its share of the files, so that an hour in which the machine is slow costs both alike.
    """
    python = os.environ.get("AMALTHEA_NBCONVERT") or (sys.executable if importlib.util.find_spec("nbconvert") else "")
    own, others = list[Run](), list[Run]()
    for share in (list(map(str, files[turn::turns])) for turn in range(min(turns, len(files)))):
        own.append(child(sys.executable, ours, *share))
        if python:
            others.append(child(python, _SCRIPT, *share))
    return _together(own), _together(others) if others else None


def _together(runs: Sequence[Run]) -> Run:
    return Run(
        times=[seconds for run in runs for seconds in run.times],
        failed=sum(run.failed for run in runs),
        empty=sum(run.empty for run in runs),
        peak=max(run.peak for run in runs),
    )


def child(python: str, script: str, *arguments: str) -> Run:
    """Run a script that prints a `Run`, in a process whose memory is its own."""
    command = [python, "-c", script, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return msgspec.json.decode(done.stdout, type=Run)
