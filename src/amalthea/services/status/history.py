"""What a site keeps of its observations: a tally for each watch and minute, failures in full.

An object for each probe would be 17,000 a day for one service at two sites; a tally for each minute says as
much to a history of days, and the failures, which people ask about afterwards, are few.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from amalthea.model.probe import Observation, Watch
from amalthea.services.status.track import State


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """One watch over a short time. `seconds` is the sum over all answers, `state` the one at the end."""

    service: str
    site: str
    probe: str
    state: State = State.CHECKING
    asked: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: tuple[Observation, ...] = ()

    @classmethod
    def of(cls, watch: Watch) -> Tally:
        """A tally of nothing yet."""
        return cls(service=watch.service, site=watch.site, probe=watch.probe.name)

    def plus(self, observation: Observation, state: State) -> Tally:
        """The tally with one more observation, and the state that it led to."""
        return msgspec.structs.replace(
            self,
            state=state,
            asked=self.asked + 1,
            seconds=self.seconds + observation.seconds,
            slowest=max(self.slowest, observation.seconds),
            failures=self.failures if observation.ok else (*self.failures, observation),
        )


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one vantage observed between two moments."""

    vantage: str
    begun: datetime
    ended: datetime
    tallies: tuple[Tally, ...]
