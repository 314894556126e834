"""Who gets a place: at once where there is one, else in the order of coming.

Whoever waits holds a ticket, and has to show now and then that he is still there: a browser does so by listening. How
long it may take is what the sessions in use have left, at the most, so that nobody waits longer than he was told.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address, IPv6Address

import msgspec

from amalthea.model.errors import AmaltheaError
from amalthea.services.tmpnb.errors import BadRepository, Full, NotNow, NotStarted
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.sessions.headroom import Headroom
from amalthea.services.tmpnb.sessions.limits import Bans, Shares
from amalthea.services.tmpnb.sessions.pool import Pool, Ready
from amalthea.services.tmpnb.sessions.session import Session, Wish
from amalthea.services.tmpnb.sessions.sessions import Sessions

log = logging.getLogger(__name__)

_ABSENT = 30.0
_CLAIMED_WITHIN = 600.0
_TELL_EVERY = 5.0
_RESTART = 10.0


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
        return max(0, self._left - len(self.waiting))

    @property
    def _left(self) -> int:
        """How many places nobody has; without memory for more, those that are ready."""
        left = self._capacity - len(self._sessions) - len(self._starting)
        return left if self._headroom.enough else min(left, self._pool.idle)

    def soon(self, ticket: Ticket) -> bool:
        """Whether it is starting, or the place for it is only being made ready."""
        before = self.waiting
        return ticket not in before or before.index(ticket) < self._left

    @property
    def room(self) -> int:
        """How many more sessions there is room for, the ready ones of the pool counted as taken."""
        if not self._headroom.enough:
            return 0
        return self._capacity - len(self._sessions) - len(self._starting) - self._pool.places

    @property
    def spare(self) -> int:
        """How much of that room nobody waits for: the pool's."""
        return self.room - len(self.waiting)

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
        ticket.seen = math.inf  # who waits for the answer is there
        try:
            await ticket.over()
        finally:
            self._tickets.pop(ticket.name, None)
        if ticket.session is None:
            assert ticket.failure is not None
            raise ticket.failure
        return ticket.session

    def _check(self, wish: Wish, address: IPv4Address | IPv6Address | None) -> None:
        waiting = sum(t.wish.network == wish.network and not t.done for t in self._tickets.values())
        try:
            self._bans.check(address)
            if not wish.again:  # whose session was lost gets it back: a whole class comes from one network
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
                async with asyncio.timeout(_TELL_EVERY):
                    await ticket.changed.wait()

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
                    async with asyncio.timeout(1.0):
                        await self._sessions.changed.wait()
        finally:
            for task in self._starting:
                task.cancel()
            await asyncio.gather(*self._starting, return_exceptions=True)

    def _serve(self) -> None:
        """Each in turn gets a ready session, or room for a new one; else a ready one of another kind has to go."""
        for ticket in self.waiting:
            claimed = None if ticket.wish.token else self._pool.claim(ticket.wish.environment)
            if claimed is None and self.room < 1:
                self._pool.make_room(len(self.waiting))
                break
            ticket.starting = True
            task = asyncio.create_task(self._start(ticket, claimed))
            self._starting.add(task)
            task.add_done_callback(partial(self._over, ticket))
            self._notify()
        self._instruments.waiting.set(len(self.waiting))

    async def _start(self, ticket: Ticket, claimed: Ready | None) -> None:
        """Whatever goes wrong, whoever waits is told. What failed for what was asked counts as a start."""
        try:
            ticket.session = await self._sessions.start(ticket.wish, claimed)
            self._shares.note(ticket.wish.network)
        except BadRepository as error:
            ticket.failure = error
            self._shares.note(ticket.wish.network)
        except AmaltheaError as error:
            ticket.failure = error
        except Exception:
            log.exception("a session did not start, in a way that nobody thought of")
            ticket.failure = NotStarted("A notebook server could not be started here. This has been logged.")

    def _over(self, ticket: Ticket, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        if not ticket.done:
            ticket.failure = NotStarted("This site is being restarted.", seconds=_RESTART)
        ticket.changed.set()
        self._sessions.changed.set()

    def _notify(self) -> None:
        for ticket in self._tickets.values():
            ticket.changed.set()

    def _forget(self) -> None:
        """Who has not been there for a while has gone; a session that nobody came for ends by being idle."""
        now = _now()
        for name, ticket in list(self._tickets.items()):
            if now - ticket.seen > (_CLAIMED_WITHIN if ticket.done or ticket.starting else _ABSENT):
                del self._tickets[name]
                if not ticket.done and not ticket.starting:
                    ticket.failure = NotNow("Your place in the queue is gone: nobody was there for a while.")
                    ticket.changed.set()
                self._notify()


def _now() -> float:
    return asyncio.get_running_loop().time()
