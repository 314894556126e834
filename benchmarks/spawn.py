"""From a click to a notebook: to JupyterLab's page, to the first output of a cell, and what a session takes.

A fleet of its own is asked through its edge, as browsers do: the front page's form is sent, JupyterLab's page is
loaded, a kernel is started, and `1+1` is computed over its WebSocket. So with 1, 20 and 50 sessions living, each of
which has a page seen and a kernel; first with a pool, then with every session started anew, all in their sandboxes.

Peers are what is installed: JupyterLab started by itself, a JupyterHub with a server as a local process, and
containers of a Docker engine. `--quick` has no more than 20 sessions, and no JupyterHub.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from benchmarks.report import Cell, Report, Table, Target, median
from benchmarks.sessions import cold, docker
from benchmarks.sessions.clicks import Place, Trial, place
from benchmarks.sessions.memory import Memory, measured

BURST = 20
_HOW = {1: "from the pool", 0: "started anew"}


class Figures:
    """What was measured with one size of the pool."""

    def __init__(self, pool: int) -> None:
        self.pool = pool
        self.trials: dict[int, Sequence[Trial]] = {}
        self.bursts: Sequence[Sequence[float]] = ()
        self.memory: tuple[Memory, int] | None = None

    async def measure(self, at: Place, *, levels: Sequence[int], count: int, bursts: int) -> None:
        """At each number of living sessions, the one that is being started included."""
        await at.trials(1, pool=self.pool)
        for level in levels:
            await at.grow(level - 1)
            self.trials[level] = await at.trials(count, pool=self.pool)
            if level == max(level for level in levels if level <= BURST):
                self.bursts = [await at.burst(BURST, pool=self.pool) for _ in range(bursts)]
        self.memory = measured(at.admin)

    @property
    def last(self) -> float:
        """Seconds until the last of a burst had its page: the median of some bursts."""
        return median([max(burst) for burst in self.bursts])


def run(*, quick: bool) -> Report:
    """Ask a fleet of ours, and the peers that are installed."""
    levels, count, bursts = ((1, 20), 5, 1) if quick else ((1, 20, 50), 20, 5)
    found = []
    for pool in (1, 0):
        figures = Figures(pool)
        with place(pool=pool) as at:
            asyncio.run(figures.measure(at, levels=levels, count=count, bursts=bursts))
        found.append(figures)
    notes = [f"The load of this machine in the last minute was {os.getloadavg()[0]:.1f} before the peers began."]
    rows = [*cold.rows(notes, times=1 if quick else 5, hub=not quick), *docker.rows(notes, times=1 if quick else 5)]
    return _report(found, rows, notes)


def _report(found: Sequence[Figures], peers: Sequence[tuple[Cell, ...]], notes: Sequence[str]) -> Report:
    times = [row for figures in found for row in _rows(figures)]
    titles = ("sessions", "page, median ms", "worst", "output, median ms", "worst")
    memory = [figures.memory for figures in found if figures.memory is not None]
    return Report(
        name="spawn",
        tables=(
            Table(title="From the click, through the edge", columns=("", *titles), rows=tuple(times)),
            Table(
                title=f"{BURST} clicks at once, to the page: medians of some times",
                columns=("", "the middle one, ms", "the last one, ms", "worst"),
                rows=tuple(map(_burst, found)),
            ),
            Table(
                title="Memory of a session with one kernel, medians",
                columns=("of so many", "private MB", "proportional MB", "by its cgroup MB"),
                rows=tuple(_memory(one, count) for one, count in memory),
            ),
            Table(
                title="Peers: from the start of a server",
                columns=("", "page, median ms", "output, median ms", "private MB"),
                rows=tuple(peers),
            ),
        ),
        targets=_targets(found),
        notes=tuple(notes),
    )


def _rows(figures: Figures) -> Sequence[tuple[Cell, ...]]:
    rows = []
    for level, trials in figures.trials.items():
        pages, outputs = [1e3 * one.page for one in trials], [1e3 * one.output for one in trials]
        rows.append((_HOW[figures.pool], level, median(pages), max(pages), median(outputs), max(outputs)))
    return rows


def _burst(figures: Figures) -> tuple[Cell, ...]:
    middle = median([median(burst) for burst in figures.bursts])
    return (_HOW[figures.pool], 1e3 * middle, 1e3 * figures.last, 1e3 * max(map(max, figures.bursts)))


def _memory(memory: Memory, count: int) -> tuple[Cell, ...]:
    counted = None if memory.counted is None else memory.counted / 1e6
    return (str(count), memory.private / 1e6, memory.proportional / 1e6, counted)


def _targets(found: Sequence[Figures]) -> tuple[Target, ...]:
    targets = []
    for figures in found:
        most = max(figures.trials)
        how, trials = f"{most} sessions, {_HOW[figures.pool]}", figures.trials[most]
        page, output = median([one.page for one in trials]), median([one.output for one in trials])
        targets.append(Target(name=f"page, {how}, ms", measured=1e3 * page, at_most=100))
        targets.append(Target(name=f"first output, {how}, ms", measured=1e3 * output, at_most=250))
        targets.append(
            Target(name=f"burst, {_HOW[figures.pool]}, the last one, ms", measured=1e3 * figures.last, at_most=1000)
        )
        if figures.memory is not None:
            private = figures.memory[0].private / 1e6
            targets.append(Target(name=f"private memory, {how}, MB", measured=private, at_most=60))
    return tuple(targets)
