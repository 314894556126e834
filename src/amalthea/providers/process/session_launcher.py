"""Has a session forked, tells it what to be, and waits until it serves."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import asdict

import msgspec

from amalthea.model.clock import Clock
from amalthea.model.spawner import Order, Spawned
from amalthea.providers.process.belongings import Belongings, Lender
from amalthea.providers.process.sandbox import mounts, walls
from amalthea.providers.process.session import Session
from amalthea.providers.process.warm import messages
from amalthea.providers.process.warm.order import SessionOrder
from amalthea.providers.process.warm_parent import WarmParent


class Footing(msgspec.Struct, frozen=True, kw_only=True):
    """How sessions are kept apart here: behind namespaces or not, and each as a user of its own or not."""

    walled: bool
    own_uid: bool


class SessionLauncher:
    """Launches sessions, all on one footing."""

    def __init__(self, lender: Lender, footing: Footing, *, clock: Clock) -> None:
        self.lender = lender
        self.footing = footing
        self._clock = clock

    async def launch(self, order: Order, parent: WarmParent, *, rehearsal: bool = False) -> Session:
        """Start it. Raises `ProviderError`; then nothing of it is left."""
        lent = await self.lender.lend(order, own_uid=self.footing.own_uid, on_disk=not self.footing.walled)
        try:
            session = self._fork(order, parent, lent, rehearsal=rehearsal)
        except BaseException:
            await asyncio.shield(lent.destroy())
            raise
        try:
            await session.ready()
        except BaseException:
            await asyncio.shield(session.discard())
            raise
        return session

    def _fork(self, order: Order, parent: WarmParent, lent: Belongings, *, rehearsal: bool) -> Session:
        """The order waits on the control socket for the session: the warm parent does not read it."""
        started = self._clock()
        spawned = Spawned(
            name=order.name, environment=order.environment, address=f"unix:{lent.socket}", started=started
        )
        control, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with remote, lent.listen() as listener:
                messages.send(control, asdict(self._told(order, parent, lent, rehearsal=rehearsal)))
                parent.fork(listener, remote)
        except BaseException:
            control.close()
            raise
        return Session(spawned, control, lent)

    def _told(self, order: Order, parent: WarmParent, lent: Belongings, *, rehearsal: bool) -> SessionOrder:
        return SessionOrder(
            name=order.name,
            base_url=order.base_url,
            token=order.token,
            home=mounts.HOME if lent.files is None else str(lent.files),
            uid=lent.uid,
            walled=self.footing.walled,
            join=lent.group.join_files if lent.group is not None else (),
            disk=order.limits.disk,
            files=order.limits.files,
            open_files=order.limits.open_files,
            ancestors=order.ancestors,
            readable=parent.readable_directories,
            rehearsal=rehearsal,
            outside=walls.outside() if rehearsal else {},
        )
