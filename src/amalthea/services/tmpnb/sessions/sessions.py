"""The sessions in use at this site: handed over with their files, given more time, ended with their work saved."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from amalthea.model.clock import Clock
from amalthea.model.errors import Unreachable
from amalthea.model.spawner import Home, Spawner
from amalthea.services.tmpnb.errors import NoSuchSession
from amalthea.services.tmpnb.forwarding.upstream import Upstream
from amalthea.services.tmpnb.instruments import Instruments
from amalthea.services.tmpnb.sessions.pool import Pool, Ready
from amalthea.services.tmpnb.sessions.session import Ended, Session, Wish
from amalthea.services.tmpnb.settings import Settings

log = logging.getLogger(__name__)

_REMEMBERED = 10_000


class Companion(Protocol):
    """What accompanies each session: its first files, its way out, its snapshots."""

    async def begins(self, session: Session) -> None:
        """Before it is handed over. An `AmaltheaError` keeps it from that."""
        ...

    async def ends(self, session: Session) -> None:
        """When its processes are dead and its files still there. Raises nothing."""
        ...


class Sessions:
    """Every session that is somebody's. Whoever made this closes it."""

    def __init__(
        self,
        spawner: Spawner,
        pool: Pool,
        *,
        companions: tuple[Companion, ...],
        settings: Settings,
        clock: Clock,
        instruments: Instruments,
    ) -> None:
        self._spawner = spawner
        self._pool = pool
        self._companions = companions
        self._settings = settings
        self._clock = clock
        self._instruments = instruments
        self._living: dict[str, Session] = {}
        self._upstreams: dict[str, Upstream] = {}
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        self.changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._living) + len(self._ending)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._living.values()))

    @property
    def lifetime(self) -> float:
        """How many seconds a session has from its start."""
        return self._settings.lifetime

    def get(self, name: str) -> Session | None:
        """The session of that name, where it lives."""
        return self._living.get(name)

    async def lives_on(self, session: Session, *, seconds: float) -> bool:
        """Whether it lives so much later: its end is noticed a moment after its server went away."""
        watching = self._watching.get(session.name)
        if watching is not None and self.get(session.name) is session:
            await asyncio.wait({watching}, timeout=seconds)
        return self.get(session.name) is session

    def upstream(self, session: Session) -> Upstream:
        """Its server."""
        return self._upstreams[session.name]

    def home(self, session: Session) -> Home:
        """Its files."""
        return self._spawner.home(session.name)

    def ended(self, name: str) -> Ended | None:
        """What is remembered of one that ended here."""
        return self._ended.get(name)

    def of_network(self, network: str) -> int:
        """How many sessions a network has."""
        return sum(session.wish.network == network for session in self._living.values())

    async def start(self, wish: Wish, claimed: Ready | None = None) -> Session:
        """A session with its files in it, the one that was claimed if it can be.

        Raises `NotStarted`, and what keeps its files away.
        """
        with self._instruments.start_seconds.time():
            try:
                session = await self._new(wish, claimed)
            except Exception:
                self._instruments.starts.labels("failed").inc()
                raise
        self._instruments.starts.labels("pool" if claimed is not None else "new").inc()
        return session

    async def _new(self, wish: Wish, claimed: Ready | None) -> Session:
        if wish.token:
            ready = await self._pool.start(wish.environment, token=wish.token)
        else:
            ready = await self._pool.take(wish.environment, claimed)
        now = self._clock()
        session = Session(
            spawned=ready.spawned,
            token=ready.token,
            wish=wish,
            started=now,
            active=now,
            until=now + timedelta(seconds=self._settings.lifetime),
        )
        await self._accompany(session)
        self._living[session.name] = session
        self._upstreams[session.name] = Upstream(session.spawned.address)
        self._watching[session.name] = asyncio.create_task(self._watch(session.name))
        self._tell()
        return session

    async def _accompany(self, session: Session) -> None:
        """Let all companions begin; where one cannot, those that had begun end, and nothing of the session is left."""
        begun = list[Companion]()
        try:
            for companion in self._companions:
                await companion.begins(session)
                begun.append(companion)
        except BaseException:
            await asyncio.shield(self._undo(session, begun))
            raise

    async def _undo(self, session: Session, begun: list[Companion]) -> None:
        for companion in reversed(begun):
            await companion.ends(session)
        await self._forget(session.name)

    def left(self, session: Session) -> timedelta:
        """How long it lives if nothing more happens in it."""
        now = self._clock()
        idle = session.until if session.busy else session.active + timedelta(seconds=self._settings.idle)
        return max(timedelta(), min(session.until, idle) - now)

    def may_have_more(self, session: Session) -> bool:
        """Whether more time would change anything."""
        return self._settings.more > 0 and self._longest(session) - session.until > timedelta(seconds=1)

    def more(self, session: Session) -> bool:
        """Give it more time, as the settings allow. Whether there was any to give."""
        session.active = self._clock()
        if not self.may_have_more(session):
            return False
        session.until = min(session.until + timedelta(seconds=self._settings.more), self._longest(session))
        return True

    def _longest(self, session: Session) -> datetime:
        return session.started + timedelta(seconds=self._settings.longest)

    async def end(self, name: str, why: str, *, reason: str) -> None:
        """End it; its work is saved when this returns. Raises `NoSuchSession`."""
        session = self._living.pop(name, None)
        if session is not None:
            self._ending[name] = asyncio.create_task(self._end(session, why, reason))
            self._tell()
        elif name not in self._ending:
            raise NoSuchSession("There is no such session here.", where=name)
        if (task := self._ending.get(name)) is not None:
            await asyncio.shield(task)

    async def _watch(self, name: str) -> None:
        """One that ends by itself is taken note of."""
        try:
            why = await self._spawner.ended(name)
        except Unreachable as error:
            why = str(error)
        if session := self._living.pop(name, None):
            log.info("%s: %s", name, why)
            self._ending[name] = asyncio.create_task(self._end(session, why, "itself"))
            self._tell()

    async def _end(self, session: Session, why: str, reason: str) -> None:
        name = session.name
        self._ended[name] = Ended(name=name, at=self._clock(), why=why)
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        self._instruments.ends.labels(reason).inc()
        try:
            await self._part(session)
        except Exception:
            log.exception("%s: it did not end as it should", name)
        finally:
            self._watching.pop(name).cancel()
            del self._ending[name]
            self._tell()

    async def _part(self, session: Session) -> None:
        try:
            await self._spawner.stop(session.name)
        except Unreachable as error:
            log.error("%s: not ended: %s", session.name, error)
        await self._upstreams.pop(session.name).aclose()
        for companion in reversed(self._companions):
            await companion.ends(session)
        await self._forget(session.name)

    async def _forget(self, name: str) -> None:
        try:
            await self._spawner.forget(name)
        except Unreachable as error:
            log.error("%s: something of it is left: %s", name, error)

    def _tell(self) -> None:
        self._instruments.sessions.labels("used").set(len(self._living))
        self._pool.refill()
        self.changed.set()

    async def aclose(self) -> None:
        """End all of them, at once; their work is saved."""
        why = "This site was being restarted."
        names = list(self._living)
        await asyncio.gather(*(self.end(name, why, reason="restart") for name in names), return_exceptions=True)
        await asyncio.gather(*self._ending.values(), return_exceptions=True)
