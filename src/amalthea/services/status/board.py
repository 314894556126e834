"""The board: what all vantages see, made into one answer for each service at each site. Pure.

A vantage's word counts while it is fresh. Where fresh vantages agree, that is the answer; where they do not,
the answer is "unknown" and the page shows who says what. Two things are no disagreement: a vantage that last
looked before another saw the change, and a vantage that is just about to believe what another believes
already. One fresh vantage is enough here: a fleet may have a single site.

A service *works* when it is up at every site, is *degraded* when it is up at some, *down* when it is down at
all of them. The sentence on top is made from the same rows that stand below it, so it cannot contradict them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from amalthea.model.probe import Watch
from amalthea.services.status.track import Report, State, Track

_WORST_FIRST = (State.DOWN, State.UNKNOWN, State.CHECKING, State.UP)


class Standing(StrEnum):
    """How a service stands over all its sites, or all services together."""

    WORKS = "works"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    CHECKING = "checking"


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What one vantage sees of one service at one site. `at`, `age` (seconds) and `seconds` (how long the
    answer took) are None where it has never asked; `settled` is false while it is about to change its mind.
    """

    vantage: str
    state: State
    at: datetime | None = None
    age: float | None = None
    seconds: float | None = None
    since: datetime | None = None
    settled: bool = True
    detail: str = ""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One service at one site: the answer, since when, and who sees what, the page's own vantage first."""

    site: str
    state: State
    since: datetime | None
    disputed: bool
    sightings: tuple[Sighting, ...]

    @property
    def age(self) -> float | None:
        """Seconds since anybody looked; None where nobody has."""
        return min((s.age for s in self.sightings if s.age is not None), default=None)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One service over all its sites."""

    service: str
    standing: Standing
    cells: tuple[Cell, ...]

    @property
    def up(self) -> int:
        """The number of sites where it is up."""
        return sum(cell.state is State.UP for cell in self.cells)


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page shows, as the vantage `site` knows it at `at`."""

    at: datetime
    site: str
    standing: Standing
    rows: tuple[Row, ...]

    @property
    def age(self) -> float | None:
        """The age in seconds of the oldest answer on the board; None while something was never asked."""
        ages = [cell.age for row in self.rows for cell in row.cells]
        known = [age for age in ages if age is not None]
        return max(known) if known and len(known) == len(ages) else None


def board(
    watches: Sequence[Watch],
    own: Report,
    others: Mapping[str, Report | None],
    *,
    now: datetime,
    fresh_for: float,
) -> Board:
    """Fold the reports of all vantages; `others` holds None for one that has not reported.

    Services and sites keep the order of `watches`; what others report about anything else is left out.
    """
    reports = {own.vantage: own, **{name: report for name, report in others.items() if name != own.vantage}}
    seen = {vantage: _by_place(report) for vantage, report in reports.items()}
    rows = []
    for service in dict.fromkeys(watch.service for watch in watches):
        sites = dict.fromkeys(watch.site for watch in watches if watch.service == service)
        cells = []
        for site in sites:
            sightings = (
                _sighting(name, tracks.get((service, site), []), now, fresh_for) for name, tracks in seen.items()
            )
            cells.append(_cell(site, tuple(sightings)))
        rows.append(_row(service, tuple(cells)))
    return Board(at=now, site=own.vantage, standing=_overall([row.standing for row in rows]), rows=tuple(rows))


def _by_place(report: Report | None) -> dict[tuple[str, str], list[Track]]:
    """The tracks by service and site: one for each probe."""
    found: dict[tuple[str, str], list[Track]] = {}
    for track in report.tracks if report else ():
        found.setdefault((track.service, track.site), []).append(track)
    return found


def _cell(site: str, sightings: tuple[Sighting, ...]) -> Cell:
    valid = [s for s in sightings if s.state in (State.UP, State.DOWN)]
    believed = [s for s in valid if not any(_overrules(other, s) for other in valid)]
    states = {s.state for s in believed}
    if len(states) == 1:
        state, since = states.pop(), min((s.since for s in believed if s.since is not None), default=None)
        return Cell(site=site, state=state, since=since, disputed=False, sightings=sightings)
    state = State.CHECKING if not valid and sightings[0].state is State.CHECKING else State.UNKNOWN
    return Cell(site=site, state=state, since=None, disputed=bool(valid), sightings=sightings)


def _overrules(witness: Sighting, other: Sighting) -> bool:
    if witness.state is other.state or witness.since is None or other.at is None:
        return False
    return witness.since > other.at or (witness.settled and not other.settled)


def _sighting(vantage: str, tracks: Iterable[Track], now: datetime, fresh_for: float) -> Sighting:
    seen = [(track, track.seen(now, fresh_for=fresh_for)) for track in tracks]
    if not seen:
        return Sighting(vantage=vantage, state=State.UNKNOWN)
    track, state = min(seen, key=lambda pair: _WORST_FIRST.index(pair[1]))
    if track.last is None:
        return Sighting(vantage=vantage, state=state)
    return Sighting(
        vantage=vantage,
        state=state,
        at=track.last.at,
        age=max(0.0, (now - track.last.at).total_seconds()),
        seconds=track.last.seconds,
        since=track.since,
        settled=track.settled,
        detail=track.last.detail,
    )


def _row(service: str, cells: tuple[Cell, ...]) -> Row:
    states = {cell.state for cell in cells}
    if states == {State.UP}:
        standing = Standing.WORKS
    elif states == {State.DOWN}:
        standing = Standing.DOWN
    elif State.UP in states and states - {State.UP, State.CHECKING}:
        standing = Standing.DEGRADED
    else:
        standing = Standing.CHECKING if State.CHECKING in states else Standing.UNKNOWN
    return Row(service=service, standing=standing, cells=cells)


def _overall(standings: Sequence[Standing]) -> Standing:
    for worst in (Standing.DOWN, Standing.DEGRADED, Standing.UNKNOWN, Standing.CHECKING):
        if worst in standings:
            return worst
    return Standing.WORKS if standings else Standing.UNKNOWN
