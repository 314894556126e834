"""The way out of each session: the proxy that attends to its network's one door."""

from __future__ import annotations

import asyncio
import logging

from amalthea.model.spawner import Spawner
from amalthea.services.tmpnb.egress.proxy import Egress
from amalthea.services.tmpnb.sessions.session import Session

log = logging.getLogger(__name__)


class WayOut:
    """A companion of sessions, who lets them out to where they may go."""

    def __init__(self, spawner: Spawner, egress: Egress) -> None:
        self._spawner = spawner
        self._egress = egress
        self._serving: dict[str, asyncio.Task[None]] = {}

    async def begins(self, session: Session) -> None:
        """Open the door, where it has one."""
        listener = self._spawner.egress(session.name)
        if listener is not None:
            self._serving[session.name] = asyncio.create_task(self._egress.serve(listener, session.name))

    async def ends(self, session: Session) -> None:
        """Close it."""
        task = self._serving.pop(session.name, None)
        if task is None:
            return
        task.cancel()
        (error,) = await asyncio.gather(task, return_exceptions=True)
        # Its socket is shut down when the session ends, which the proxy cannot tell from a fault.
        if isinstance(error, Exception) and not isinstance(error, OSError):
            log.error("%s: its way out had failed: %s", session.name, error)
