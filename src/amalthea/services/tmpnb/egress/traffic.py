"""What one session has used of what it may, and the last connections it made."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from amalthea.model.clock import Clock
from amalthea.model.wire import encode
from amalthea.services.tmpnb.egress.bucket import Bucket
from amalthea.services.tmpnb.egress.instruments import EgressInstruments
from amalthea.services.tmpnb.egress.records import Connection, Verdict
from amalthea.services.tmpnb.egress.refusing import Refused
from amalthea.services.tmpnb.egress.settings import EgressSettings

REMEMBERED = 200
"""Connections that are kept of one session, the last ones."""

log = logging.getLogger(__package__)


class Flow:
    """One connection while it lasts: what it is for, and the bytes that went through it."""

    def __init__(self, traffic: Traffic, started: datetime) -> None:
        self.traffic = traffic
        self.started = started
        self.admitted = False
        self.method = ""
        self.host = ""
        self.port = 0
        self.up = 0
        self.down = 0

    def send(self, amount: int) -> float:
        """Account for bytes from the session; returns seconds to wait before sending them. Raises `Refused`."""
        wait = self.traffic.send(amount)
        self.up += amount
        return wait

    def receive(self, amount: int) -> float:
        """Account for bytes to the session; returns seconds to wait before passing them on."""
        self.down += amount
        return self.traffic.receive(amount)


class Traffic:
    """The limits of one session, shared by all its connections, and their records."""

    def __init__(self, session: str, settings: EgressSettings, *, clock: Clock, instruments: EgressInstruments) -> None:
        self._session = session
        self._settings = settings
        self._clock = clock
        self._instruments = instruments
        now = self._now()
        per_minute = settings.connections_per_minute
        self._starts = Bucket(rate=per_minute / 60, size=per_minute, now=now)
        self._up = Bucket(rate=settings.upload_rate, size=settings.burst, now=now)
        self._down = Bucket(rate=settings.rate, size=settings.burst, now=now)
        self._sent = 0
        self._admitted = 0
        self._open: dict[Flow, None] = {}
        self._ended: deque[Connection] = deque(maxlen=REMEMBERED)

    def begin(self) -> Flow:
        """A connection has been accepted; give it to `end` later."""
        flow = Flow(self, self._clock())
        self._open[flow] = None
        self._instruments.open.inc()
        return flow

    def admit(self, flow: Flow) -> None:
        """Count it among those that may be. Raises `Refused`."""
        wait = self._starts.try_spend(1, self._now())
        if wait:
            most = self._settings.connections_per_minute
            raise Refused(Verdict.OFTEN, f"There may be {most} new ones in a minute.", seconds=wait)
        if self._admitted >= self._settings.connections:
            raise Refused(Verdict.BUSY, f"There may be {self._settings.connections}.", seconds=1)
        self._check_sent(1)
        self._admitted += 1
        flow.admitted = True

    def end(self, flow: Flow, verdict: Verdict) -> None:
        """Record how it ended."""
        record = self._record(flow, verdict)
        del self._open[flow]
        self._admitted -= flow.admitted
        self._ended.append(record)
        self._instruments.open.dec()
        self._instruments.connections.labels(verdict.value).inc()
        log.info(encode(record))

    def records(self) -> Sequence[Connection]:
        """Those that ended, then those that are open; each the oldest first."""
        return [*self._ended, *(self._record(flow, Verdict.OPEN) for flow in self._open)]

    def send(self, amount: int) -> float:
        """See `Flow.send`."""
        self._check_sent(amount)
        self._sent += amount
        self._instruments.up.inc(amount)
        return self._up.spend(amount, self._now())

    def receive(self, amount: int) -> float:
        """See `Flow.receive`."""
        self._instruments.down.inc(amount)
        return self._down.spend(amount, self._now())

    def _check_sent(self, more: int) -> None:
        if self._sent + more > self._settings.upload_limit:
            self._sent = self._settings.upload_limit  # what is small enough to fit in has no way out either
            raise Refused(Verdict.SPENT, f"That is {self._settings.upload_limit}.")

    def _record(self, flow: Flow, verdict: Verdict) -> Connection:
        return Connection(
            session=self._session,
            started=flow.started,
            verdict=verdict,
            method=flow.method,
            host=flow.host,
            port=flow.port,
            up=flow.up,
            down=flow.down,
            seconds=round(max(0.0, (self._clock() - flow.started).total_seconds()), 3),
        )

    def _now(self) -> float:
        return self._clock().timestamp()
