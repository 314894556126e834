"""The work of each session, kept while it lives and a last time when it ends."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable

from amalthea.model.errors import Unreachable
from amalthea.model.spawner import Spawner
from amalthea.services.tmpnb.sessions.session import Session
from amalthea.services.tmpnb.work.saver import Living, Saver

log = logging.getLogger(__name__)

TOKEN = "token"  # noqa: S105 - the name of a fact
OPEN = "open"


def digest(token: str) -> str:
    """What a snapshot keeps of the token: enough to know it again, not enough to use it."""
    return hashlib.sha256(b"amalthea tmpnb " + token.encode()).hexdigest()


class Keeping:
    """A companion of sessions, who keeps their work."""

    def __init__(self, spawner: Spawner) -> None:
        self._spawner = spawner
        self._living: dict[str, Living] = {}
        self.saver: Saver | None = None

    def living(self) -> Iterable[Living]:
        """All that are to be kept."""
        return list(self._living.values())

    async def begins(self, session: Session) -> None:
        """From now on it is kept."""
        self._living[session.name] = Living(
            session=session.name,
            home=self._spawner.home(session.name),
            environment=session.wish.environment,
            facts={TOKEN: digest(session.token), OPEN: session.wish.open[:4096]},
        )

    async def ends(self, session: Session) -> None:
        """A last time."""
        living = self._living.pop(session.name, None)
        if living is None or self.saver is None:
            return
        try:
            saved = await self.saver.final(living)
        except Unreachable as error:
            log.error("%s: its last work was not kept: %s", session.name, error)
            return
        if saved.failures:
            log.error("%s: its last work was not kept: %s", session.name, saved.trouble)
