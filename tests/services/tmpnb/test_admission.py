"""The law of the door: never more sessions than there are places, and first come, first served - whatever happens."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from amalthea.model.errors import AmaltheaError
from amalthea.model.spawner import Environment, Limits, Order
from amalthea.model.units import ByteSize
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.sessions.admission import Admission, Ticket
from amalthea.services.tmpnb.sessions.headroom import Headroom
from amalthea.services.tmpnb.sessions.limits import Bans, Shares
from amalthea.services.tmpnb.sessions.pool import Pool
from amalthea.services.tmpnb.sessions.session import Session, Wish
from amalthea.services.tmpnb.sessions.sessions import Sessions
from amalthea.services.tmpnb.settings import Settings
from tests.services.tmpnb.plain_spawner import PlainSpawner
from tests.services.tmpnb.site import eventually
from tests.services.tmpnb.work.scenes import HeldClock

KINDS = ("python", "julia")
LIMITS = Limits(memory=ByteSize(1), cpu=1.0, processes=1, disk=ByteSize(1), files=1)


class Visit(msgspec.Struct, frozen=True):
    """Somebody comes, of some kind; `again` with a session of his own before, `fails` with files that are not there."""

    kind: str
    again: bool = False
    fails: bool = False


class End(msgspec.Struct, frozen=True):
    """A session ends, by itself or not."""

    number: int
    itself: bool = False


class Leave(msgspec.Struct, frozen=True):
    """Somebody who waits goes away."""

    number: int


class Machine(msgspec.Struct, frozen=True):
    """The machine does as it is told: starts nothing, starts or ends slowly, or does again what it should."""

    fault: str


class Drain(msgspec.Struct, frozen=True):
    """The operator empties the pool."""


class Rest(msgspec.Struct, frozen=True):
    """Some time passes."""

    turns: int


Event = Visit | End | Leave | Machine | Drain | Rest
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Visit, st.sampled_from(KINDS), again=st.booleans(), fails=st.booleans()),
    st.builds(Visit, st.sampled_from(KINDS)),
    st.builds(End, st.integers(0, 9), itself=st.booleans()),
    st.builds(Leave, st.integers(0, 9)),
    st.builds(Machine, st.sampled_from(["failing", "gate", "exits", "well", "well"])),
    st.just(Drain()),
    st.builds(Rest, st.integers(1, 30)),
)


class Files:
    """A companion who does not find the files of some."""

    async def begins(self, session: Session) -> None:
        await asyncio.sleep(0)
        if session.wish.repository:
            raise AmaltheaError("there are no such files")

    async def ends(self, session: Session) -> None:
        await asyncio.sleep(0)


class House:
    """A door with all that stands behind it."""

    def __init__(self, directory: Path, *, capacity: int, pool: int) -> None:
        clock = HeldClock()
        instruments = Instruments(CollectorRegistry())
        ready = Settings(capacity=capacity, pool=pool)
        order = Order(name="", environment="", base_url="", token="", limits=LIMITS)
        self.capacity = capacity
        self.spawner = PlainSpawner(directory, [Environment(name=kind) for kind in KINDS], clock=clock)
        self.pool = Pool(
            self.spawner,
            dict.fromkeys(KINDS, pool),
            site="north",
            order=order,
            room=lambda: self.admission.spare,
            changed=lambda: self.sessions.changed.set(),
        )
        self.sessions = Sessions(
            self.spawner, self.pool, companions=(Files(),), settings=ready, clock=clock, instruments=instruments
        )
        self.admission = Admission(
            self.sessions,
            self.pool,
            bans=Bans((), clock),
            shares=Shares(starts=10**6, at_once=10**6, living=self.sessions.of_network, seconds=lambda: 0.0),
            headroom=Headroom(0),
            capacity=capacity,
            queue=10**6,
            instruments=instruments,
        )
        self.tickets: list[Ticket] = []
        self.served: list[Ticket] = []
        self.left = set[str]()

    def do(self, event: Event) -> None:
        match event:
            case Visit():
                token = "0" * 48 if event.again else ""
                wish = Wish(environment=event.kind, token=token, repository="gone" if event.fails else "")
                self.tickets.append(self.admission.ask(wish, None))
            case End():
                self._end(event)
            case Leave() if waiting := self.admission.waiting:
                ticket = waiting[event.number % len(waiting)]
                ticket.seen = -1000
                self.left.add(ticket.name)
            case Machine():
                self._be(event.fault)
            case Drain():
                self._drain()
        self.look()

    def _end(self, event: End) -> None:
        living = list(self.sessions)
        if not living:
            return
        name = living[event.number % len(living)].name
        ending = self.spawner.end(name, "it died") if event.itself else self.sessions.end(name, "", reason="operator")
        self.tasks.append(asyncio.create_task(ending))

    def _drain(self) -> None:
        self.tasks.append(asyncio.create_task(self._drained()))

    async def _drained(self) -> None:
        await self.pool.drain()

    def _be(self, fault: str) -> None:
        self.spawner.failing = "broken" if fault == "failing" else ""
        for name, event in (("gate", self.spawner.gate), ("exits", self.spawner.exits)):
            event.clear() if fault == name else event.set()

    def look(self) -> None:
        """What holds at every moment."""
        assert self.spawner.most <= self.capacity
        self.served += [t for t in self.tickets if (t.starting or t.session) and t not in self.served]
        order = [self.tickets.index(ticket) for ticket in self.served]
        assert order == sorted(order), "somebody came in before somebody who had come earlier"

    async def run(self, events: Sequence[Event]) -> None:
        self.tasks = [asyncio.create_task(self.pool.run()), asyncio.create_task(self.admission.run())]
        try:
            for event in events:
                self.do(event)
                for _ in range(event.turns if isinstance(event, Rest) else 1):
                    await asyncio.sleep(0)
                    self.look()
            await self._settle()
        finally:
            for task in self.tasks[:2]:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await self.sessions.aclose()
            await self.spawner.aclose()

    async def _settle(self) -> None:
        """Once all is well, everybody who stays is served, as soon as those who are in have gone."""
        self._be("well")
        while any(not ticket.done and ticket.name not in self.left for ticket in self.tickets):
            if self.admission.waiting and len(self.sessions) == self.capacity:
                self._end(End(0))
            self.sessions.changed.set()
            await asyncio.sleep(0)
            self.look()
        await eventually(lambda: not self.admission.waiting)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4), st.integers(0, 3), st.lists(EVENTS, max_size=40))
def test_there_are_never_more_sessions_than_places_and_who_comes_first_is_served_first(
    capacity: int, pool: int, events: list[Event]
) -> None:
    directory = Path(tempfile.mkdtemp(prefix="a-"))
    try:
        asyncio.run(_within(directory, capacity, pool, events))
    finally:
        shutil.rmtree(directory)


async def _within(directory: Path, capacity: int, pool: int, events: Sequence[Event]) -> None:
    async with asyncio.timeout(30):
        await House(directory, capacity=capacity, pool=pool).run(events)
