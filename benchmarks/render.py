"""What a notebook costs: CPU time of rendering it, warm, in one process at a time, against nbconvert on the same files.

The files are the notebooks under `--corpus`, AMALTHEA_CORPUS, or `../shared/corpus` beside the repository. Besides: the
CPU time of each stage alone on all that the files hold for it, a made notebook of 50 MB, peak memory of processes that
do nothing else, and how near the colours of code come to those of Pygments.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from amalthea.services.nbviewer.render import NotANotebook, Options, formats
from amalthea.services.nbviewer.render.colours.code import highlight
from amalthea.services.nbviewer.render.markdown import markdown
from amalthea.services.nbviewer.render.notebook import Bundle, Cell, Output, Stream
from amalthea.services.nbviewer.render.page import Page
from amalthea.services.nbviewer.render.reading import read
from amalthea.services.nbviewer.render.terminal import terminal
from benchmarks.notebooks import colours, large
from benchmarks.notebooks.corpus import directory
from benchmarks.notebooks.peer import OURS, Renderer, Run, alternately
from benchmarks.report import Report, Table, Target, median, percentile

Piece = TypeVar("Piece")


def run(*, quick: bool) -> Report:
    """Render the corpus; a fifth of it when `quick`."""
    files = sorted(directory().rglob("*.ipynb"))[:: 5 if quick else 1]
    if not files:
        note = f"no notebooks in {directory()}; name a directory that has some with --corpus"
        return Report(name="render", tables=(), notes=(note,))
    ours, peer = alternately(files)
    big = _large()
    cells, outputs = _parts([file.read_bytes() for file in files])
    tables, notes = [_costs(ours, peer, big), _stages(files, cells, outputs)], list[str]()
    targets = _targets(ours, big)
    if peer is None:
        notes.append("nbconvert is not installed here; name a Python that has it in AMALTHEA_NBCONVERT")
    else:
        ratio = sum(peer.times) / sum(ours.times)
        targets.append(Target(name="times less CPU than nbconvert, in total", measured=ratio, at_least=50))
    if colours.installed():
        compared, shares = colours.table(_codes(cells))
        tables.append(compared)
        targets.append(Target(name="colours of Python as Pygments, %", measured=shares.get("python", 0), at_least=95))
    else:
        notes.append("Pygments is not installed here; colours are not compared")
    return Report(name="render", tables=tuple(tables), targets=tuple(targets), notes=tuple(notes))


def _targets(ours: Run, big: Run) -> list[Target]:
    return [
        Target(name="p95 of a notebook, ms", measured=percentile(ours.times, 0.95) * 1000, at_most=20),
        Target(name="notebooks that failed", measured=ours.failed, at_most=0),
        Target(name="empty pages", measured=ours.empty, at_most=0),
        Target(name="a notebook of 50 MB, CPU s", measured=max(big.times), at_most=1),
        Target(name="a notebook of 50 MB, peak MiB", measured=big.peak, at_most=400),
    ]


def _large() -> Run:
    """The notebook of 50 MB, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".ipynb") as file:
        file.write(large.large())
        file.flush()
        with Renderer(OURS) as renderer:
            return renderer.run([Path(file.name)])


def _costs(ours: Run, peer: Run | None, big: Run) -> Table:
    columns = ("renderer", "notebooks", "failed", "empty", "total s", "median ms", "p95 ms", "max ms", "peak MiB")
    rows = [_row("amalthea", ours), *([_row("nbconvert lab", peer)] if peer else []), _row("amalthea, 50 MB", big)]
    return Table(title="CPU time of rendering", columns=columns, rows=tuple(rows))


def _row(name: str, run: Run) -> tuple[str | float | int, ...]:
    figures = (median(run.times), percentile(run.times, 0.95), max(run.times))
    milliseconds = (seconds * 1000 for seconds in figures)
    return name, len(run.times), run.failed, run.empty, sum(run.times), *milliseconds, run.peak


def _stages(files: Sequence[Path], cells: Sequence[Cell], outputs: Sequence[Output]) -> Table:
    code = [(cell.source, cell.language) for cell in cells if cell.kind == "code"]
    texts = [cell.source for cell in cells if cell.kind == "markdown"]
    page = Page(Options())
    streams = [output.text for output in outputs if isinstance(output, Stream)]
    tables = [formats.joined(o.data["text/html"]) for o in outputs if isinstance(o, Bundle) and "text/html" in o.data]
    rows = (
        ("JSON", *_timed(read, [file.read_bytes() for file in files])),
        ("Markdown, with cleaning and math", *_timed(lambda text: markdown(text, page), texts)),
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


def _codes(cells: Iterable[Cell]) -> dict[str, list[str]]:
    """The code of all cells, and of the fences in their texts, by language."""
    codes = defaultdict[str, list[str]](list)
    for cell in cells:
        if cell.kind == "code":
            magic = _MAGIC.match(cell.source)
            if magic is None:
                codes[cell.language].append(cell.source)
            elif magic[1] in _MAGICS:
                codes[magic[1]].append(cell.source[magic.end() :])
        elif cell.kind == "markdown":
            for language, code in _FENCE.findall(cell.source):
                codes[_ALIASES.get(language.lower(), language.lower())].append(code)
    return {language: codes[language] for language in codes.keys() & colours.known()}


def _timed(work: Callable[[Piece], object], pieces: Iterable[Piece]) -> tuple[int, float]:
    """How many pieces there were, and the CPU milliseconds they took."""
    given = list(pieces)
    started = time.process_time()
    for piece in given:
        work(piece)
    return len(given), (time.process_time() - started) * 1000


_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*(?:\n|\Z)")
_MAGICS = frozenset({"sql", "javascript", "perl", "bash", "html", "latex"})
_FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ALIASES = {"js": "javascript", "jl": "julia", "py": "python", "sh": "bash"}
