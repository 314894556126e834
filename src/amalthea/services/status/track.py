"""One vantage's view of one probe: a fold over its observations, damped both ways.

One failure is not an outage and one success is not a recovery: the state changes only after as many equal
answers in a row as `Thresholds` asks for, and then it counts from the first of them. How old the view is
does not belong to the fold: whoever reads a track decides with `seen` whether it still says anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from amalthea.model.probe import Observation, Watch


class State(StrEnum):
    """What is known of a service at a site."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    CHECKING = "checking"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """How many equal answers in a row it takes to believe them; 1 or more each."""

    down_after: int
    up_after: int


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A watch's state (`checking` until enough answers came), and the run of equal answers that goes on.

    `since` is the time of the first answer in the run that made the state, `began` that of the run's own.
    """

    service: str
    site: str
    probe: str
    state: State = State.CHECKING
    since: datetime | None = None
    run: int = 0
    began: datetime | None = None
    last: Observation | None = None

    @classmethod
    def of(cls, watch: Watch) -> Track:
        """A track without any observation."""
        return cls(service=watch.service, site=watch.site, probe=watch.probe.name)

    def after(self, observation: Observation, thresholds: Thresholds) -> Track:
        """The track with one more observation."""
        goes_on = self.last is not None and self.last.ok == observation.ok
        run = self.run + 1 if goes_on else 1
        began = self.began if goes_on else observation.at
        grown = msgspec.structs.replace(self, run=run, began=began, last=observation)
        claimed = _claim(observation)
        needed = thresholds.up_after if observation.ok else thresholds.down_after
        if claimed is self.state or run < needed:
            return grown
        return msgspec.structs.replace(grown, state=claimed, since=began)

    @property
    def settled(self) -> bool:
        """Whether the last answer says the same as the state; if not, asking again soon is worth it."""
        return self.last is not None and _claim(self.last) is self.state

    def seen(self, now: datetime, *, fresh_for: float) -> State:
        """The state as of `now`: `unknown` when the last answer is more than `fresh_for` seconds away.

        That holds for the future too: a clock that is far off says nothing about now.
        """
        if self.last is None:
            return State.CHECKING
        return self.state if abs(now - self.last.at) <= timedelta(seconds=fresh_for) else State.UNKNOWN


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one vantage sees, as of `at`."""

    vantage: str
    at: datetime
    tracks: tuple[Track, ...] = ()


def _claim(observation: Observation) -> State:
    return State.UP if observation.ok else State.DOWN
