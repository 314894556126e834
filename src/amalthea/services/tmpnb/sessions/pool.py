"""Sessions kept ready: started, and nobody's yet.

The pool is a buffer for bursts, since starting one takes a tenth of a second. It never holds more than the site has
room for besides those in use, and what it hands out answers: one that died meanwhile is replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
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
    """`order` makes an order for an environment; `room` says how many more sessions there may be.

    `changed` is called when there may be a place that was not there before.
    """

    def __init__(
        self,
        spawner: Spawner,
        sizes: Mapping[str, int],
        *,
        site: str,
        order: Order,
        room: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self._spawner = spawner
        self._sizes = sizes
        self._site = site
        self._order = order
        self._room = room
        self._changed = changed
        self._ready: dict[str, deque[Ready]] = {environment: deque() for environment in sizes}
        self._starting = 0
        self._leaving = set[asyncio.Task[None]]()
        self.trouble = ""
        self._wanted = asyncio.Event()

    @property
    def idle(self) -> int:
        """How many are ready."""
        return sum(map(len, self._ready.values()))

    @property
    def places(self) -> int:
        """How many sessions it takes the place of: those that are ready, those that start, and those that leave."""
        return self.idle + self._starting + len(self._leaving)

    def claim(self, environment: str) -> Ready | None:
        """A ready one, which is not the pool's any more; None where there is none."""
        waiting = self._ready.get(environment)
        if not waiting:
            return None
        self._wanted.set()
        return waiting.popleft()

    async def take(self, environment: str, claimed: Ready | None) -> Ready:
        """One that answers: what was claimed, else another, else a new one. Raises `NotStarted`."""
        while claimed is not None:
            if await self._answers(claimed):
                return claimed
            await self._drop(claimed)
            claimed = self.claim(environment)
        return await self.start(environment)

    def make_room(self, wanted: int) -> None:
        """Let so many of the ready ones go; there is room for another when one has gone."""
        for waiting in self._ready.values():
            while waiting and len(self._leaving) < wanted:
                self._leave(waiting.pop())

    def _leave(self, ready: Ready) -> asyncio.Task[None]:
        task = asyncio.create_task(self._drop(ready))
        self._leaving.add(task)
        task.add_done_callback(self._left)
        return task

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        self._wanted.set()
        self._changed()

    async def drain(self) -> int:
        """End all that are ready; new ones follow at once. Returns how many."""
        drained = [self._leave(waiting.popleft()) for waiting in self._ready.values() for _ in range(len(waiting))]
        await asyncio.gather(*drained)
        return len(drained)

    async def aclose(self) -> None:
        """Wait for those that leave; the spawner ends the others."""
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def refill(self) -> None:
        """Look again, soon, whether some are missing."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep the pool full until cancelled."""
        while True:
            self._wanted.clear()
            if not await self._fill():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE):
                        await self._wanted.wait()

    async def _fill(self) -> bool:
        """Start one in each environment that lacks one. Whether to look again at once."""
        missing = [e for e, size in self._sizes.items() if len(self._ready[e]) < size]
        return any([await self._add(environment) for environment in missing if self._room() > 0])

    async def _add(self, environment: str) -> bool:
        self._starting += 1
        try:
            self._ready[environment].append(await self.start(environment))
        except NotStarted as error:
            log.error("no session for the pool: %s", error)
            return False
        finally:
            self._starting -= 1
            self._changed()
        return True

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
