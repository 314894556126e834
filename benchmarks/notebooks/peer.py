"""Renderers side by side: ours, and nbconvert's `HTMLExporter` with the lab template. Each is warm, in one process.

nbconvert is taken from this environment, or from the one whose Python is named by AMALTHEA_NBCONVERT.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

OURS = """
import re
from amalthea.services.nbviewer.render import NotANotebook, Options, render
options = Options(raw_base="https://raw.example.org/u/r/", link_base="/github/u/r/blob/main/")
seen = re.compile("[^<>\\\\s][^<>]*(?=<)|<img|<math").search
Failure = NotANotebook
def page(file):
    return render(open(file, "rb").read(), options).body
"""
NBCONVERT = """
import logging, warnings
import nbformat
from nbconvert import HTMLExporter
warnings.simplefilter("ignore"); logging.disable(50)
exporter, seen, Failure = HTMLExporter(template_name="lab"), bool, Exception
def page(file):
    return exporter.from_notebook_node(nbformat.read(file, as_version=4))[0]
"""
_LOOP = """
import json, resource, sys, time
def measured(file):
    started = time.process_time()
    try:
        body = page(file)
    except Failure:
        return None, False
    return time.process_time() - started, not seen(body)
for line in sys.stdin:
    pages = list(map(measured, json.loads(line)))
    print(json.dumps({"pages": pages, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
"""
_SHARE = 20


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """For each notebook the CPU seconds, None where it failed, and whether nothing is on its page; the peak in MiB."""

    pages: list[tuple[float | None, bool]]
    peak: float

    @property
    def times(self) -> list[float]:
        """Of those that did not fail."""
        return [seconds for seconds, _ in self.pages if seconds is not None]

    @property
    def failed(self) -> int:
        """How many did."""
        return len(self.pages) - len(self.times)

    @property
    def empty(self) -> int:
        """How many pages show nothing."""
        return sum(empty for _, empty in self.pages)


class Renderer(AbstractContextManager["Renderer"]):
    """A process that renders what it is given, with memory of its own."""

    def __init__(self, script: str, python: str = sys.executable) -> None:
        command = [python, "-c", script + _LOOP]
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def run(self, files: Sequence[Path]) -> Run:
        """Render them, one after the other."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode([str(file) for file in files]) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Run)


def alternately(files: Sequence[Path]) -> tuple[Run, Run | None]:
    """What the files cost us, and nbconvert; None where there is none.

    They take turns, twenty files each, so that a time in which the machine is slow costs both alike.
    """
    python = os.environ.get("AMALTHEA_NBCONVERT") or (sys.executable if importlib.util.find_spec("nbconvert") else "")
    if not python:
        with Renderer(OURS) as own:
            return _together([own.run(files[:1]), own.run(files)][1:]), None
    with Renderer(OURS) as own, Renderer(NBCONVERT, python) as peer:
        own.run(files[:1]), peer.run(files[:1])
        shares = [files[start : start + _SHARE] for start in range(0, len(files), _SHARE)]
        turns = [(own.run(share), peer.run(share)) for share in shares]
    return _together([ours for ours, _ in turns]), _together([theirs for _, theirs in turns])


def _together(runs: Sequence[Run]) -> Run:
    return Run(pages=[page for run in runs for page in run.pages], peak=runs[-1].peak)
