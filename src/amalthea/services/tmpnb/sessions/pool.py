"""Sessions kept ready: started, and nobody's yet.

The pool is a buffer for bursts, since starting one takes a tenth of a second. It never holds more than the site has
room for besides those in use, and what it hands out answers: one that died meanwhile is replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from amalthea.model.errors import Unreachable
from amalthea.model.spawner import Order, Spawned, Spawner
from amalthea.services.tmpnb.errors import NotStarted
from amalthea.services.tmpnb.forwarding.upstream import Upstream
from amalthea.services.tmpnb.sessions.session import base_url, new_name, new_token

log = logging.getLogger(__name__)

_CHECK_SECONDS = 2.0
_PAUSE = 5.0


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is nobody's yet."""

    spawned: Spawned
    token: str


class Pool:
    """`order` makes an order for an environment; `room` says how many more sessions there may be."""

    def __init__(
        self, spawner: Spawner, sizes: Mapping[str, int], *, site: str, order: Order, room: Callable[[], int]
    ) -> None:
        self._spawner = spawner
        self._sizes = sizes
        self._site = site
        self._order = order
        self._room = room
        self._ready = defaultdict[str, deque[Ready]](deque)
        self._starting = 0
        self.trouble = ""
        self._wanted = asyncio.Event()

    @property
    def idle(self) -> int:
        """How many are ready, or about to be."""
        return sum(map(len, self._ready.values())) + self._starting

    def has(self, environment: str) -> bool:
        """Whether one is ready now."""
        return bool(self._ready[environment])

    async def take(self, environment: str) -> Ready:
        """One that answers: a ready one, else a new one. Raises `NotStarted`."""
        while self._ready[environment]:
            ready = self._ready[environment].popleft()
            self._wanted.set()
            if await self._answers(ready):
                return ready
            await self._drop(ready)
        return await self.start(environment)

    def make_room(self) -> bool:
        """Whether a ready session of some environment was given up for one of another."""
        for waiting in self._ready.values():
            if waiting:
                ready = waiting.pop()
                self._dropping = asyncio.create_task(self._drop(ready))
                return True
        return False

    async def drain(self) -> int:
        """End all that are ready; new ones follow at once. Returns how many."""
        drained = [ready for waiting in self._ready.values() for ready in waiting]
        self._ready.clear()
        await asyncio.gather(*map(self._drop, drained))
        self._wanted.set()
        return len(drained)

    def refill(self) -> None:
        """Look again, soon, whether some are missing."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep the pool full until cancelled."""
        while True:
            self._wanted.clear()
            if not await self._fill():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), _PAUSE)

    async def _fill(self) -> bool:
        """Start one where one is missing. Whether to look again at once."""
        for environment, size in self._sizes.items():
            if len(self._ready[environment]) < size and self._room() > 0:
                self._starting += 1
                try:
                    self._ready[environment].append(await self.start(environment))
                except NotStarted as error:
                    log.error("no session for the pool: %s", error)
                    return False
                finally:
                    self._starting -= 1
                return True
        return False

    async def start(self, environment: str, *, token: str = "") -> Ready:
        """A new one, which `token` opens; one of its own without that. Raises `NotStarted`."""
        name, token = new_name(self._site), token or new_token()
        order = msgspec.structs.replace(
            self._order, name=name, environment=environment, base_url=base_url(name), token=token
        )
        try:
            ready = Ready(spawned=await self._spawner.start(order), token=token)
            self.trouble = ""
            return ready
        except Unreachable as error:
            log.error("a session could not be started: %s", error)
            self.trouble = f"sessions cannot be started: {error.message}"
            raise NotStarted("A notebook server could not be started here. This has been logged.") from error

    async def _answers(self, ready: Ready) -> bool:
        upstream = Upstream(ready.spawned.address)
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                status = await upstream.status(f"{base_url(ready.spawned.name)}api", token=ready.token)
        except (OSError, TimeoutError):
            return False
        finally:
            await upstream.aclose()
        return status == 200

    async def _drop(self, ready: Ready) -> None:
        try:
            await self._spawner.forget(ready.spawned.name)
        except Unreachable as error:
            log.error("%s: not ended: %s", ready.spawned.name, error)
