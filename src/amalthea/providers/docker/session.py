"""One session: its container from the start until it is forgotten."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiodocker.containers import DockerContainer

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Home, Limits, Spawned, Usage
from amalthea.providers.docker.cgroup import belongs, used
from amalthea.providers.docker.engine import Engine, Missing, obeyed
from amalthea.providers.docker.foothold import Foothold
from amalthea.providers.docker.held import HeldHome
from amalthea.providers.docker.packed import PackedHome
from amalthea.providers.docker.place import Place
from amalthea.providers.docker.recipe import cores

STOPPED = "it was stopped"
_KILLED = 137


class Session:
    """A container that runs, or has run, and what this process holds of it. All raise `ProviderError`."""

    def __init__(
        self, engine: Engine, container: DockerContainer, *, limits: Limits, spawned: Spawned, uid: int
    ) -> None:
        self.spawned = spawned
        self.uid = uid
        self.inspected: Mapping[str, Any] = {}
        self._engine = engine
        self._container = container
        self._limits = limits
        self._foothold: Foothold | None = None
        self._packed = PackedHome(container, limits, spawned.name)
        self._stopped = False
        self._forgetting = asyncio.Lock()
        self._forgotten = False

    @property
    def held(self) -> bool:
        """Whether its home and its network are held by descriptor."""
        return self._foothold is not None

    async def hold(self) -> None:
        """Take hold of it, now that it runs and nobody but its server is in it."""
        with obeyed(self.spawned.name):
            self.inspected = await self._container.show()
        self._foothold = Foothold.take(self._pid, self._container.id)

    def home(self) -> Home:
        """Its files."""
        return HeldHome(self._descriptor) if self.held else self._packed

    def egress(self) -> socket.socket | None:
        """See `Spawner`."""
        return self._foothold.door(self.spawned.name) if self._foothold else None

    async def usage(self) -> Usage:
        """What the kernel says of it; or the engine, which may take a second."""
        found = used(self._pid) if self.held and belongs(self._pid, self._container.id) else None
        disk, files = self._filled()
        return msgspec.structs.replace(found or await self._counted(), disk=disk, files=files)

    async def _counted(self) -> Usage:
        query = {"stream": "0", "one-shot": "1"}
        said = await self._engine.ask(f"containers/{self._container.id}/stats", params=query)
        memory = said.get("memory_stats") or {}
        if "usage" not in memory:
            raise ProviderError("the session has ended", where=self.spawned.name)
        cached = memory["stats"].get("total_inactive_file", memory["stats"].get("inactive_file", 0))
        return Usage(
            memory=max(memory["usage"] - cached, 0),
            cpu=said["cpu_stats"]["cpu_usage"]["total_usage"] / 10**9,
            processes=said["pids_stats"].get("current"),
        )

    async def throttle(self, cpu: float) -> None:
        """Leave it so many cores."""
        path = f"containers/{self._container.id}/update"
        await self._engine.ask(path, method="POST", data={"NanoCpus": cores(cpu)})

    async def stop(self) -> None:
        """End it; its files stay. Returns when none of its processes is left."""
        if not self._stopped and not self.held:
            with suppress(ProviderError):  # a session that has ended, or hangs, has no files to give
                await self._packed.keep()
        self._stopped = True
        with suppress(Missing):
            await self._kill()
            with obeyed(self.spawned.name):
                await self._container.wait()
        self._shut()

    async def ended(self) -> str:
        """Wait until it has, and say why."""
        try:
            with obeyed(self.spawned.name):
                await self._container.wait()
                state = (await self._container.show())["State"]
        except Missing:
            return STOPPED if self._stopped else "it was removed"
        self._shut()
        return STOPPED if self._stopped else self._why(state)

    async def forget(self, place: Place) -> None:
        """Remove it, and let go of all that is left of it."""
        self._stopped = True
        async with self._forgetting:  # whoever comes second must not remove what has the same name by then
            if self._forgotten:
                return
            await self._engine.remove(self._container.id)
            self._packed.close()
            if self._foothold is not None:
                self._foothold.close()
            await asyncio.to_thread(place.remove)
            self._forgotten = True

    @property
    def _pid(self) -> int:
        return int(self.inspected["State"]["Pid"])

    def _shut(self) -> None:
        if self._foothold is not None:
            self._foothold.shut()

    def _descriptor(self) -> int:
        if self._foothold is None or self._foothold.home < 0:
            raise ProviderError("the session was forgotten, and its files with it", where=self.spawned.name)
        return self._foothold.home

    def _filled(self) -> tuple[int | None, int | None]:
        if self._foothold is None:
            return None, None
        found = os.fstatvfs(self._descriptor())
        # The directory itself is one.
        return (found.f_blocks - found.f_bfree) * found.f_frsize, max(found.f_files - found.f_ffree - 1, 0)

    async def _kill(self) -> None:
        try:
            with obeyed(self.spawned.name):
                await self._container.kill()
        except Missing:
            raise
        except ProviderError as error:
            if "is not running" not in error.message:
                raise

    def _why(self, state: Mapping[str, Any]) -> str:
        if state.get("OOMKilled") and state["ExitCode"] == _KILLED:
            return f"it ran out of memory, of which it may have {self._limits.memory}"
        if state["ExitCode"] == 0:
            return "its server ended"
        return f"its server ended with status {state['ExitCode']}"
