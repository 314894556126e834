"""Who gets a place: at once where there is one, else in the order of coming.

Whoever waits holds a ticket, and has to show now and then that he is still there: a browser does so by listening. How
long it may take is what the sessions in use have left, at the most, so that nobody waits longer than he was told.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

import msgspec

from amalthea.model.errors import AmaltheaError
from amalthea.services.tmpnb.errors import Full
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.sessions.headroom import Headroom
from amalthea.services.tmpnb.sessions.limits import Bans, Shares
from amalthea.services.tmpnb.sessions.pool import Pool
from amalthea.services.tmpnb.sessions.session import Session, Wish
from amalthea.services.tmpnb.sessions.sessions import Sessions

_ABSENT = 30.0
_CLAIMED_WITHIN = 600.0
_TELL_EVERY = 5.0


class Ticket:
    """A place in the queue. `session` or `failure` is there in the end."""

    def __init__(self, wish: Wish, *, now: float) -> None:
        self.name = secrets.token_urlsafe(16)
        self.wish = wish
        self.asked = self.seen = now
        self.starting = False
        self.session: Session | None = None
        self.failure: AmaltheaError | None = None
        self.changed = asyncio.Event()

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.session is not None or self.failure is not None

    async def over(self) -> None:
        """Wait until nothing more will come of it."""
        while not self.done:
            self.changed.clear()
            await self.changed.wait()


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody who waits is told, in the words that Binder's launch pages use.

    `position` is 1 for whoever is next; `expected` are seconds, at most; `url` is where the session is.
    """

    phase: str
    message: str = ""
    position: int = 0
    waiting: int = 0
    expected: float | None = None
    waited: float = 0
    url: str = ""


class Admission:
    """The door. `run` has to be running for anybody to get in."""

    def __init__(
        self,
        sessions: Sessions,
        pool: Pool,
        *,
        bans: Bans,
        shares: Shares,
        headroom: Headroom,
        capacity: int,
        queue: int,
        instruments: Instruments,
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._bans = bans
        self._shares = shares
        self._headroom = headroom
        self._capacity = capacity
        self._most = queue
        self._instruments = instruments
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()
        self._starting = set[asyncio.Task[None]]()
        instruments.capacity.set(capacity)

    @property
    def waiting(self) -> list[Ticket]:
        """Those who wait, in their order."""
        return [ticket for ticket in self._tickets.values() if not ticket.done and not ticket.starting]

    @property
    def free(self) -> int:
        """How many could come in now; those who wait are before them."""
        places = self._capacity if self._headroom.enough else len(self._sessions) + self._pool.idle
        return max(0, places - len(self._sessions) - len(self._starting) - len(self.waiting))

    @property
    def room(self) -> int:
        """How many more sessions there is room for, the ready ones of the pool counted as taken."""
        if not self._headroom.enough:
            return 0
        return self._capacity - len(self._sessions) - len(self._starting) - self._pool.idle

    def ask(self, wish: Wish, address: IPv4Address | IPv6Address | None) -> Ticket:
        """A ticket; it is served at once where there is a place. Raises `NotAllowed`, `TooMany`, `Full`."""
        self._check(wish, address)
        if not self.free and len(self.waiting) >= self._most:
            self._instruments.refused.labels("full").inc()
            raise Full("Every place is taken, and as many visitors wait as can.", seconds=self.expected(self._most))
        ticket = Ticket(wish, now=_now())
        self._tickets[ticket.name] = ticket
        self._serve()
        return ticket

    async def start(self, wish: Wish, address: IPv4Address | IPv6Address | None) -> Session:
        """A session now, for a program. Raises `NotAllowed`, `TooMany`, `NotStarted`, and `Full` without a queue."""
        self._check(wish, address)
        if not self.free:
            self._instruments.refused.labels("full").inc()
            raise Full("Every place is taken.", seconds=self.expected(len(self.waiting) + 1))
        ticket = self.ask(wish, None)
        await ticket.over()
        self._tickets.pop(ticket.name, None)
        if ticket.session is None:
            assert ticket.failure is not None
            raise ticket.failure
        return ticket.session

    def _check(self, wish: Wish, address: IPv4Address | IPv6Address | None) -> None:
        waiting = sum(t.wish.network == wish.network and not t.done for t in self._tickets.values())
        try:
            self._bans.check(address)
            self._shares.check(wish.network, waiting=waiting)
        except AmaltheaError as error:
            self._instruments.refused.labels(type(error).__name__).inc()
            raise

    def find(self, name: str) -> Ticket | None:
        """The ticket of that name; asking for it shows that somebody waits."""
        ticket = self._tickets.get(name)
        if ticket is not None:
            ticket.seen = _now()
        return ticket

    def standing(self, ticket: Ticket) -> Standing:
        """What its holder is told now."""
        waited = round(_now() - ticket.asked, 1)
        if ticket.failure is not None:
            return Standing(phase="failed", message=ticket.failure.message, waited=waited)
        if ticket.session is not None:
            return Standing(phase="ready", message="Your notebook server is ready.", url=ticket.session.path)
        if ticket.starting:
            return Standing(phase="launching", message="Your notebook server is starting.", waited=waited)
        waiting = self.waiting
        position = waiting.index(ticket) + 1
        return Standing(
            phase="waiting",
            message="Every place is taken.",
            position=position,
            waiting=len(waiting),
            expected=self.expected(position),
            waited=waited,
        )

    async def follow(self, ticket: Ticket) -> AsyncIterator[Standing]:
        """What its holder is told: at each change and every few seconds, until nothing more will come."""
        while True:
            ticket.changed.clear()
            ticket.seen = _now()
            yield self.standing(ticket)
            if ticket.done:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(ticket.changed.wait(), _TELL_EVERY)

    def expected(self, position: int) -> float | None:
        """Seconds until so many sessions have ended, if nothing more happens in them; None where nobody can say.

        Beyond the sessions that there are now, those who come next are taken to stay as long as they may.
        """
        lefts = sorted(self._sessions.left(session).total_seconds() for session in self._sessions)
        if position < 1 or not lefts:
            return None
        rounds, place = divmod(position - 1, len(lefts))
        return round(lefts[place] + rounds * self._sessions.lifetime, 1)

    async def run(self) -> None:
        """Let in whoever there is a place for, and forget who is not there any more, until cancelled."""
        try:
            while True:
                self._sessions.changed.clear()
                self._forget()
                self._serve()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._sessions.changed.wait(), 1.0)
        finally:
            for task in self._starting:
                task.cancel()

    def _serve(self) -> None:
        for ticket in self.waiting:
            if not self._place(ticket.wish):
                break
            ticket.starting = True
            task = asyncio.create_task(self._start(ticket))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)
            self._notify()
        self._instruments.waiting.set(len(self.waiting))

    def _place(self, wish: Wish) -> bool:
        """Whether there is one: a ready session, room for a new one, or a ready one that makes room."""
        if not wish.token and self._pool.has(wish.environment) and len(self._starting) < self._pool.idle:
            return True
        return self.room > 0 or self._pool.make_room()

    async def _start(self, ticket: Ticket) -> None:
        try:
            ticket.session = await self._sessions.start(ticket.wish)
            self._shares.note(ticket.wish.network)
        except AmaltheaError as error:
            ticket.failure = error
        finally:
            ticket.changed.set()

    def _notify(self) -> None:
        for ticket in self._tickets.values():
            ticket.changed.set()

    def _forget(self) -> None:
        """Who has not been there for a while has gone; a session that nobody came for ends by being idle."""
        now = _now()
        for name, ticket in list(self._tickets.items()):
            if now - ticket.seen > (_CLAIMED_WITHIN if ticket.done or ticket.starting else _ABSENT):
                del self._tickets[name]
                self._notify()


def _now() -> float:
    return asyncio.get_running_loop().time()
