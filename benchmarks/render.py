"""What a notebook costs: CPU time of rendering it, warm, in one process, against nbconvert on the same files.

The files are the notebooks under AMALTHEA_CORPUS (else `../shared/corpus` beside the repository). nbconvert runs its
`HTMLExporter` with the lab template where it is installed: in this environment, or in the one whose Python is named
by AMALTHEA_NBCONVERT. The table of stages times each part alone on all that the corpus holds for it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from amalthea.services.nbviewer.render import NotANotebook, Options, formats, render
from amalthea.services.nbviewer.render.code import highlight
from amalthea.services.nbviewer.render.formulas import protect
from amalthea.services.nbviewer.render.markdown import markdown
from amalthea.services.nbviewer.render.mathml import mathml
from amalthea.services.nbviewer.render.notebook import Bundle, Cell, Output, Stream
from amalthea.services.nbviewer.render.page import Page
from amalthea.services.nbviewer.render.reading import read
from amalthea.services.nbviewer.render.terminal import terminal
from benchmarks.report import Report, Table, Target, median, percentile

CORPUS = Path(os.environ.get("AMALTHEA_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
Piece = TypeVar("Piece")
PEER = """
import json, logging, sys, time, warnings
import nbformat
from nbconvert import HTMLExporter
warnings.simplefilter("ignore"); logging.disable(50)
exporter, times, failed = HTMLExporter(template_name="lab"), [], 0
for number, file in enumerate([sys.argv[1], *sys.argv[1:]]):
    started = time.process_time()
    try:
        exporter.from_notebook_node(nbformat.read(file, as_version=4))
    except Exception:
        failed += number > 0
    if number:
        times.append(time.process_time() - started)
print(json.dumps({"times": times, "failed": failed}))
"""


class Run(msgspec.Struct, frozen=True):
    """CPU seconds for each notebook, and how many failed."""

    times: list[float]
    failed: int


def run(*, quick: bool) -> Report:
    """Render the corpus; a fifth of it when `quick`."""
    files = sorted(CORPUS.rglob("*.ipynb"))[:: 5 if quick else 1]
    if not files:
        note = f"no notebooks in {CORPUS}; set AMALTHEA_CORPUS to a directory that has some"
        return Report(name="render", tables=(), notes=(note,))
    ours, peer = _ours(files), _peer(files)
    tables = [_costs(ours, peer), _stages(files)]
    targets = [Target(name="p95 of a notebook, ms", measured=percentile(ours.times, 0.95) * 1000, at_most=60)]
    if peer is None:
        note = "nbconvert is not installed here; name a Python that has it in AMALTHEA_NBCONVERT"
        return Report(name="render", tables=tuple(tables), targets=tuple(targets), notes=(note,))
    ratio = sum(peer.times) / sum(ours.times)
    targets.append(Target(name="times less CPU than nbconvert, in total", measured=ratio, at_least=10))
    return Report(name="render", tables=tuple(tables), targets=tuple(targets))


def _ours(files: list[Path]) -> Run:
    options = Options(raw_base="https://raw.example.org/u/r/", link_base="/github/u/r/blob/main/")
    times, failed = list[float](), 0
    for number, file in enumerate([files[0], *files]):
        source = file.read_bytes()
        started = time.process_time()
        try:
            render(source, options)
        except NotANotebook:
            failed += number > 0
        if number:  # the first is rendered once before, to be warm
            times.append(time.process_time() - started)
    return Run(times, failed)


def _peer(files: list[Path]) -> Run | None:
    python = os.environ.get("AMALTHEA_NBCONVERT") or (sys.executable if importlib.util.find_spec("nbconvert") else "")
    if not python:
        return None
    done = subprocess.run(
        [python, "-c", PEER, *map(str, files)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return msgspec.json.decode(done.stdout, type=Run)


def _costs(ours: Run, peer: Run | None) -> Table:
    columns = ("renderer", "notebooks", "failed", "total s", "median ms", "p95 ms", "max ms")
    rows = [_row("amalthea", ours), *([_row("nbconvert lab", peer)] if peer else [])]
    return Table(title="CPU time of rendering", columns=columns, rows=tuple(rows))


def _row(name: str, run: Run) -> tuple[str | float | int, ...]:
    figures = (median(run.times), percentile(run.times, 0.95), max(run.times))
    return name, len(run.times), run.failed, sum(run.times), *(seconds * 1000 for seconds in figures)


def _stages(files: list[Path]) -> Table:
    sources = [file.read_bytes() for file in files]
    cells, outputs = _parts(sources)
    code = [(cell.source, cell.language) for cell in cells if cell.kind == "code"]
    texts = [cell.source for cell in cells if cell.kind == "markdown"]
    formulas = {formula.tex: formula.display for text in texts for formula in protect(text).formulas}
    page = Page(Options())
    streams = [output.text for output in outputs if isinstance(output, Stream)]
    tables = [formats.joined(o.data["text/html"]) for o in outputs if isinstance(o, Bundle) and "text/html" in o.data]
    rows = (
        ("JSON", *_timed(_parts, [sources])),
        ("Markdown, with cleaning and math", *_timed(lambda text: markdown(text, page), texts)),
        ("math, each formula once", *_timed(lambda item: mathml(item[0], display=item[1]), formulas.items())),
        ("code", *_timed(lambda item: highlight(*item), code)),
        ("printed text", *_timed(terminal, streams)),
        ("HTML outputs", *_timed(page.cleaner.clean, tables)),
    )
    return Table(title="CPU time by stage, each alone", columns=("stage", "pieces", "total ms"), rows=rows)


def _parts(sources: Iterable[bytes]) -> tuple[list[Cell], list[Output]]:
    """All cells and outputs of some notebooks."""
    cells = list[Cell]()
    for source in sources:
        try:
            frame = formats.notebook(read(source))
        except NotANotebook:
            continue
        cells += [formats.cell(value, frame) for value in frame.cells if isinstance(value, dict)]
    return cells, [formats.output(value) for cell in cells for value in cell.outputs]


def _timed(work: Callable[[Piece], object], pieces: Iterable[Piece]) -> tuple[int, float]:
    """How many pieces there were, and the CPU milliseconds they took."""
    given = list(pieces)
    started = time.process_time()
    for piece in given:
        work(piece)
    return len(given), (time.process_time() - started) * 1000
