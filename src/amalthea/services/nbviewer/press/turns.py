"""Who is next: a queue with a bound in which every network has a line of its own.

The lines take turns, so that a crawler with a hundred requests waits behind itself and not in front of a person.
When the queue is full, room for a quiet network is made at the end of the longest line.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from amalthea.services.nbviewer.errors import Busy


class Turns:
    """`places` have their turn at a time, up to `waiting` wait for it, none longer than `patience` seconds."""

    def __init__(self, *, places: int, waiting: int, patience: float) -> None:
        self._free = places
        self._room = waiting
        self._patience = patience
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._free <= 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """A turn, as long as the block takes. Raises `Busy`."""
        if self._free > 0:
            self._free -= 1
        else:
            await self._wait(who)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, who: str) -> None:
        if self._waiting >= self._room:
            self._make_room(who)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(who, deque()).append(turn)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except TimeoutError:
            self._gone(who, turn)
            raise _busy() from None
        except asyncio.CancelledError:
            self._gone(who, turn)
            raise

    def _make_room(self, who: str) -> None:
        """Send away the last of the longest line, if that is fairer than sending away the newcomer."""
        longest = max(self._lines, key=lambda name: len(self._lines[name]), default=who)
        if longest == who or len(self._lines[longest]) <= len(self._lines.get(who, ())) + 1:
            raise _busy()
        turn = self._lines[longest][-1]
        self._leave(longest, turn)
        turn.set_exception(_busy())

    def _gone(self, who: str, turn: asyncio.Future[None]) -> None:
        """Somebody no longer waits; a turn that came at that very moment is passed on."""
        if turn in self._lines.get(who, ()):
            self._leave(who, turn)
        elif turn.done() and not turn.cancelled() and turn.exception() is None:
            self._next()

    def _leave(self, who: str, turn: asyncio.Future[None]) -> None:
        self._lines[who].remove(turn)
        self._waiting -= 1
        if not self._lines[who]:
            del self._lines[who]

    def _next(self) -> None:
        while self._lines:
            who = next(iter(self._lines))
            turn = self._lines[who][0]
            self._leave(who, turn)
            if who in self._lines:
                self._lines.move_to_end(who)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _busy() -> Busy:
    return Busy("Too many notebooks are being rendered.", hint="Try again in a few seconds.")
