"""The provider that runs workloads as processes of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import ProviderError
from amalthea.model.provider import AccountState, Standing
from amalthea.model.units import ByteSize, Duration
from amalthea.model.workload import Feature, Running, Workload
from amalthea.providers.process import ports
from amalthea.providers.process.ending import end
from amalthea.providers.process.environment import compose
from amalthea.providers.process.identity import Identity, check_port_names, plain, real
from amalthea.providers.process.launch import Order, launch
from amalthea.providers.process.lock import held
from amalthea.providers.process.log import Log
from amalthea.providers.process.observation import Sighting, by_key, describe, leftovers, scan

LEAST_FREE = ByteSize(200 * 10**6)
"""Free bytes under `directory` below which the machine is called limited."""


class ProcessProvider:
    """Runs the workloads of the site `name` as processes of this machine and user.

    `directory` holds what the fleet keeps on this machine: `log/<site>/<key>.log` and `run/`. `programs` gives
    for each `argv[0]` of a workload the words to put in its place. With `lifeline`, all that this provider
    starts ends with it: when it is closed, and when this process dies in whatever way.
    """

    def __init__(
        self,
        name: str,
        *,
        directory: Path,
        fleet: str,
        programs: Mapping[str, Sequence[str]],
        lifeline: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        self.name = plain(name, "a site's name")
        self.supports = frozenset(Feature)
        self._directory = Path(real(directory))
        self._fleet = fleet
        self._programs = programs
        self._clock = clock
        self._lifeline = os.pipe() if lifeline else None
        self._closed = False

    async def running(self) -> Mapping[str, Running]:
        """What runs of this site, by key: read from the process table."""
        return await asyncio.to_thread(self._running)

    async def start(self, workload: Workload) -> Running:
        """Start it, or take over a program whose keeper is gone. Raises `ProviderError`, `PortInUse`."""
        self._check(workload)
        await end(lambda: leftovers(self._seen(workload.key)), grace=0)
        return await asyncio.to_thread(self._start, workload)

    async def stop(self, key: str, *, grace: Duration) -> None:
        """End all its processes, politely for `grace`; returns when they are gone. Raises `ProviderError`.

        The keeper itself waits no longer than the workload's own grace.
        """
        await end(lambda: self._seen(key), grace=grace)

    def logs(self, key: str, *, lines: int = 100, follow: bool = False) -> AsyncIterator[str]:
        """Its last lines, then, with `follow`, each new one until cancelled. Raises `ProviderError`."""
        return self._log(key).read(lines, follow=follow)

    async def account(self) -> AccountState:
        """The machine is our own; it is limited when its disk is nearly full."""
        return await asyncio.to_thread(self._account)

    async def aclose(self) -> None:
        """Let go of the lifeline, if there is one: what hangs on it ends."""
        if self._lifeline is not None:
            for side in self._lifeline:
                os.close(side)
            self._lifeline = None
        self._closed = True

    def _check(self, workload: Workload) -> None:
        if self._closed:
            raise ProviderError("this provider is closed", where=self.name)
        plain(workload.key, "a workload's name")
        check_port_names(workload.ports)
        self._argv(workload)

    def _log(self, key: str) -> Log:
        return Log(self._directory / "log" / self.name / f"{plain(key, 'a workload')}.log")

    def _mine(self) -> list[Sighting]:
        return [one for one in scan(str(self._directory)) if one.identity.site == self.name]

    def _seen(self, key: str) -> list[Sighting]:
        return [one for one in self._mine() if one.identity.key == key]

    def _running(self) -> dict[str, Running]:
        return {key: describe(processes, self._log(key)) for key, processes in by_key(self._mine()).items()}

    def _start(self, workload: Workload) -> Running:
        key = workload.key
        with held(self._directory / "run" / f"{self.name}.{key}.lock"):
            everything = scan(str(self._directory))
            seen = [one for one in everything if one.identity.site == self.name and one.identity.key == key]
            if not any(one.keeper for one in seen):
                program = next((one for one in seen if one.program), None)
                former = {one.pid: one for one in everything if self._precedes(one, workload)}
                if program is None:
                    ports.check_free(workload.ports, (one for one in everything if one.pid not in former))
                shared = {number for one in former.values() for number in one.identity.ports.values()}
                self._launch(workload, program, shared)
        found = self._seen(key)
        if not found:
            raise ProviderError("it was ended as soon as it had started", where=key)
        return describe(found, self._log(key))

    def _precedes(self, one: Sighting, workload: Workload) -> bool:
        """Whether `one` is an earlier shape of the workload, which it replaces."""
        mine = one.identity
        return (mine.site, mine.service, mine.name) == (self.name, workload.service, workload.name)

    def _launch(self, workload: Workload, program: Sighting | None, shared: Collection[int]) -> None:
        """Start a keeper for a new program, or for the one that already runs.

        A `shared` port is one that the program it replaces listens on until that is stopped.
        """
        with ExitStack() as opened:
            holders = {}
            for name, number in () if program else workload.ports.items():
                if number not in shared:
                    holders[name] = opened.enter_context(ports.hold(number))
            log = self._log(workload.key)
            output = log.open()
            opened.callback(os.close, output)
            numbers = {**workload.ports, **{name: holder.getsockname()[1] for name, holder in holders.items()}}
            order = Order(
                key=workload.key,
                argv=self._argv(workload),
                environment=self._environment(workload, program.identity.ports if program else numbers),
                directory=str(self._directory),
                log=log.path,
                grace=workload.grace,
                outlives=workload.outlives_keeper,
                held=tuple(holder.fileno() for holder in holders.values()),
                lifeline=self._lifeline[0] if self._lifeline else None,
                adopt=program,
            )
            launch(order, output)

    def _environment(self, workload: Workload, numbers: Mapping[str, int]) -> dict[str, str]:
        identity = Identity(
            directory=str(self._directory),
            fleet=self._fleet,
            site=self.name,
            key=workload.key,
            name=workload.name,
            service=workload.service,
            ports=numbers,
        )
        return compose(workload, identity, os.environ)

    def _argv(self, workload: Workload) -> list[str]:
        program, *arguments = workload.argv
        if program not in self._programs:
            raise ProviderError(
                f"there is no program {program!r} here",
                where=workload.key,
                hint=f"This site runs {', '.join(sorted(self._programs))}.",
            )
        return [*self._programs[program], *arguments]

    def _account(self) -> AccountState:
        place = next(one for one in (self._directory, *self._directory.parents) if one.exists())
        free = ByteSize(shutil.disk_usage(place).free)
        detail = f"{free} free under {place}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
        standing = Standing.OK if free >= LEAST_FREE else Standing.LIMITED
        return AccountState(standing=standing, detail=detail, checked=self._clock())
