"""The board in words: the sentence on top, the sentence of each service, and amounts of time."""

from __future__ import annotations

from collections.abc import Sequence

from amalthea.services.status.board import Board, Row, Standing
from amalthea.services.status.track import State

_MANY = {
    Standing.DOWN: "are down",
    Standing.DEGRADED: "work at only some of their sites",
    Standing.UNKNOWN: "are in an unknown state",
}


def headline(board: Board) -> str:
    """One sentence for the whole board: the worst that is true, and of how many services."""
    rows = [row for row in board.rows if row.standing is board.standing]
    if not board.rows:
        return "No service is watched"
    if board.standing is Standing.WORKS:
        return "All services work"
    if board.standing is Standing.CHECKING:
        return "Looking for the first time"
    if board.standing is Standing.DEGRADED and (site := _lost_site(board)):
        return f"The site {site} is down; all services work elsewhere"
    if len(rows) == 1:
        return f"{rows[0].service} {sentence(rows[0])}"
    if len(rows) < len(board.rows):
        return f"{len(rows)} of {len(board.rows)} services {_MANY[board.standing]}"
    if board.standing is Standing.UNKNOWN:
        return "Nothing is known at the moment"
    return f"All services {_MANY[board.standing]}"


def _lost_site(board: Board) -> str:
    """The one site where everything is down, if all else is up; else ""."""
    bad = {cell.site for row in board.rows for cell in row.cells if cell.state is not State.UP}
    site = bad.pop() if len(bad) == 1 else ""
    there = [cell.state for row in board.rows for cell in row.cells if cell.site == site]
    return site if len(there) > 1 and set(there) == {State.DOWN} else ""


def sentence(row: Row) -> str:
    """What to say of one service, to follow its name."""
    sites = len(row.cells)
    match row.standing:
        case Standing.WORKS:
            return "works" if sites == 1 else f"works at {'both' if sites == 2 else f'all {sites}'} sites"
        case Standing.DEGRADED if any(cell.state is State.UNKNOWN for cell in row.cells):
            return f"is seen working at {row.up} of {sites} sites"
        case Standing.DEGRADED:
            return f"works at {row.up} of {sites} sites"
        case Standing.DOWN:
            return "is down" if sites == 1 else f"is down at {'both' if sites == 2 else f'all {sites}'} sites"
        case Standing.UNKNOWN:
            return "is in an unknown state"
        case Standing.CHECKING:
            return "is being looked at"


def counts(rows: Sequence[Row]) -> str:
    """How many services stand how, such as "4 work, 1 is down"; "" when all stand alike."""
    verbs = {
        Standing.WORKS: ("works", "work"),
        Standing.DEGRADED: ("is degraded", "are degraded"),
        Standing.DOWN: ("is down", "are down"),
        Standing.UNKNOWN: ("is unknown", "are unknown"),
        Standing.CHECKING: ("is being looked at", "are being looked at"),
    }
    numbers = {standing: sum(row.standing is standing for row in rows) for standing in Standing}
    parts = [f"{number} {verbs[standing][number > 1]}" for standing, number in numbers.items() if number]
    return ", ".join(parts) if len(parts) > 1 else ""


def span(seconds: float) -> str:
    """A span of time in one unit: "0 s", "85 s", "12 min", "3 h", "9 d"."""
    for unit, size, least in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 120)):
        if seconds >= least:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def latency(seconds: float) -> str:
    """How long an answer took: "<1 ms", "12 ms", "1.4 s"."""
    if seconds < 0.001:
        return "<1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"
