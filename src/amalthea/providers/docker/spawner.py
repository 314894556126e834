"""The spawner of sessions in containers."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment, Guarantee, Home, Limits, Order, Spawned, Usage
from amalthea.model.units import ByteSize
from amalthea.providers.docker.engine import Engine
from amalthea.providers.docker.image import Image, prepare
from amalthea.providers.docker.launch import launch
from amalthea.providers.docker.leftovers import clear
from amalthea.providers.docker.place import Berth
from amalthea.providers.docker.recipe import DIRECTORY, ENVIRONMENT, INSTANCE, OWNER, SESSION, STARTED, Making
from amalthea.providers.docker.session import Session
from amalthea.providers.docker.uids import Uids
from amalthea.providers.docker.walls import maps_users, walls, weakest

TRIAL = Limits(memory=ByteSize(512 * 2**20), cpu=1, processes=128, disk=ByteSize(64 * 2**20), files=1000)
"""What the session gets that shows, as the spawner opens, whether an image works and what walls there are."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_OWNER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_./-]{0,126}")


class DockerSpawner:
    """Starts each session in a container of its own. Made by `open`; whoever opened it closes it."""

    name = "docker"

    def __init__(
        self, engine: Engine, berth: Berth, *, uids: Uids, owner: str, images: Mapping[str, Image], clock: Clock
    ) -> None:
        self._engine = engine
        self._berth = berth
        self._uids = uids
        self._owner = owner
        self._images = images
        self._clock = clock
        self._guarantees: Sequence[Guarantee] = ()
        self._sessions: dict[str, Session] = {}
        self._starting: dict[str, asyncio.Task[Session]] = {}
        self._proxied = False
        self._closed = False

    @classmethod
    async def open(
        cls,
        *,
        directory: Path,
        owner: str,
        environments: Sequence[Environment],
        engine: str = "",
        progress: Callable[[str], None] = lambda line: None,
        clock: Clock = system_clock,
    ) -> DockerSpawner:
        """Reach the engine (`unix://<path>`, else DOCKER_HOST, else the usual socket) and make all images ready.

        `directory` holds the sockets of sessions; it is on the engine's own machine, with a short path, and the
        same whenever this `owner` opens: so what its dead processes left is found, and removed. An image that is not
        here is pulled, with a line to `progress` for each step. Raises `ProviderError`: no engine, no image, no
        Jupyter in an image.
        """
        if not _OWNER.fullmatch(owner):
            raise ProviderError("an owner is named by letters, digits and any of _./-", where=owner)
        directory = directory.absolute()  # noqa: ASYNC240 - no input or output; the engine, too, has to find it
        reached = Engine(engine)
        try:
            await clear(reached, directory, owner)
            images = {one.name: await prepare(reached, one, progress=progress) for one in environments}
            information = await reached.ask("info")
            berth = Berth(directory)
        except BaseException:
            await reached.aclose()
            raise
        uids = Uids(berth.instance, mapped=maps_users(information))
        spawner = cls(reached, berth, uids=uids, owner=owner, images=images, clock=clock)
        try:
            await spawner._try()
        except BaseException:
            await asyncio.shield(spawner.aclose())
            raise
        return spawner

    def guarantees(self) -> Sequence[Guarantee]:
        """The walls, as a trial session of every image had them."""
        return self._guarantees

    async def start(self, order: Order) -> Spawned:
        """See `Spawner`. An image that is gone meanwhile is not pulled: that is an error."""
        if not _NAME.fullmatch(order.name):
            raise ProviderError("a session is named by up to 63 of a-z, 0-9 and -", where=order.name)
        if self._closed:
            raise ProviderError("this spawner is closed", where=order.name)
        if order.name in self._sessions or order.name in self._starting:
            raise ProviderError("there is a session of that name", where=order.name)
        starting = self._starting[order.name] = asyncio.create_task(self._launched(order))
        try:
            self._sessions[order.name] = await starting
        finally:
            del self._starting[order.name]
        return self._sessions[order.name].spawned

    async def stop(self, name: str) -> None:
        """See `Spawner`."""
        if name in self._sessions:
            await self._sessions[name].stop()

    async def ended(self, name: str) -> str:
        """See `Spawner`."""
        return await self._session(name).ended()

    async def forget(self, name: str) -> None:
        """See `Spawner`."""
        session = self._sessions.get(name)
        if session is not None:
            await session.forget(self._berth.place(name))
            if self._sessions.get(name) is session:
                del self._sessions[name]
                self._uids.give_back(session.uid)

    async def running(self) -> Mapping[str, Spawned]:
        """See `Spawner`: by the engine's list, without those that are still starting."""
        found = await self._engine.listed({OWNER: self._owner, INSTANCE: self._berth.instance})
        seen = [self._described(one["Labels"]) for one in found]
        return {one.name: one for one in seen if one.name not in self._starting}

    async def usage(self, name: str) -> Usage:
        """See `Spawner`."""
        return await self._session(name).usage()

    async def throttle(self, name: str, *, cpu: float) -> None:
        """See `Spawner`; a hundredth of a core is the least."""
        await self._session(name).throttle(cpu)

    def home(self, name: str) -> Home:
        """See `Spawner`. What is written after the end, and files of one that ended by itself, need root."""
        return self._session(name).home()

    def egress(self, name: str) -> socket.socket | None:
        """See `Spawner`: None without root. Shut down when it ends, closed when it is forgotten."""
        return self._session(name).egress()

    async def aclose(self) -> None:
        """End every session, remove all of them, and let go of the engine. Raises `ProviderError` where that fails."""
        if self._closed:
            return
        self._closed = True
        for starting in self._starting.values():
            starting.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        done = await asyncio.gather(*(self.forget(name) for name in list(self._sessions)), return_exceptions=True)
        self._berth.close()
        await self._engine.aclose()
        for failure in done:
            if failure is not None:
                raise failure

    def _session(self, name: str) -> Session:
        try:
            return self._sessions[name]
        except KeyError:
            raise ProviderError("there is no such session", where=name) from None

    async def _launched(self, order: Order) -> Session:
        place = self._berth.place(order.name)
        labels = {
            OWNER: self._owner,
            DIRECTORY: str(self._berth.directory),
            INSTANCE: self._berth.instance,
            SESSION: order.name,
            ENVIRONMENT: order.environment,
            STARTED: self._clock().isoformat(),
        }
        image = self._image(order.environment)
        uid = self._uids.take()
        making = Making(image=image, uid=uid, labels=labels, meeting=str(place.meeting), proxied=self._proxied)
        called = f"amalthea-{self._berth.instance}-{order.name}"
        spawned = self._described(labels)
        try:
            return await launch(self._engine, order, making, place=place, spawned=spawned, called=called)
        except BaseException:
            self._uids.give_back(uid)
            raise

    def _image(self, environment: str) -> Image:
        if environment not in self._images:
            known = ", ".join(sorted(self._images)) or "none"
            raise ProviderError("there is no such environment here", where=environment, hint=f"There is {known}.")
        return self._images[environment]

    def _described(self, labels: Mapping[str, str]) -> Spawned:
        name = labels[SESSION]
        return Spawned(
            name=name,
            environment=labels[ENVIRONMENT],
            address=self._berth.place(name).address,
            started=datetime.fromisoformat(labels[STARTED]),
        )

    async def _try(self) -> None:
        found = [await self._tried(environment) for environment in self._images]
        self._guarantees = weakest(found)

    async def _tried(self, environment: str) -> Sequence[Guarantee]:
        name = f"trial-{len(self._sessions)}"
        order = Order(name=name, environment=environment, base_url="/", token=name, limits=TRIAL)
        await self.start(order)
        try:
            information = await self._engine.ask("info")
            session = self._sessions[name]
            self._proxied = session.held
            return walls(session.inspected, information, limits=TRIAL, held=session.held)
        finally:
            await asyncio.shield(self.forget(name))
