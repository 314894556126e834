"""The processes that make pages: started when needed, killed when a notebook takes too long, replaced at once.

A notebook is hostile input, and the renderer a large program. So it works in processes of their own (see `worker`),
one job at a time each, with a limit on time and memory. One that dies costs its visitor nothing where it was not
the notebook's doing: another does the job again. A notebook that did cost a worker is remembered for a while, so
that it does not cost the next one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

import msgspec

from amalthea.model.errors import AmaltheaError
from amalthea.model.fleet import Names
from amalthea.model.units import ByteSize, Duration
from amalthea.services.nbviewer.errors import Busy, TooHard
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.pages.basing import ROOT
from amalthea.services.nbviewer.press.turns import Turns
from amalthea.services.nbviewer.press.work import Job, Made
from amalthea.services.nbviewer.press.worker import Answer, Setup, framed
from amalthea.services.nbviewer.render import NotANotebook

_MODULE = "amalthea.services.nbviewer.press.worker"
_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG")
_START_SECONDS = 30.0
_JOBS = 1000
_RESIDENT_SHARE = 4
_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
_TRIES = 2


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool has and what a job may take: `count` workers, `waiting` jobs before them; then it is killed."""

    count: int
    waiting: int
    seconds: Duration
    memory: ByteSize


class Died(Exception):
    """A worker ended before its answer came; `code` is how, as `subprocess` has it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Faulty(AmaltheaError):
    """The renderer has a fault; the hint is its traceback."""


class Worker:
    """One process, as its parent sees it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._jobs, self._answers = process.stdin, process.stdout
        self._done = 0
        self._resident = 0

    @classmethod
    async def start(cls, names: Names, *, base: str, memory: int) -> Self:
        """One that is ready to work. Raises `Died`, `TimeoutError`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _MODULE, stdin=PIPE, stdout=PIPE, env=_environment()
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._exchange(Setup(names=names, base=base, memory=int(memory), parent=os.getpid()))
        except BaseException:
            await worker.kill()
            raise
        return worker

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def worn(self, memory: int) -> bool:
        """Whether another should take its place: it has done much, or grown, or ended."""
        used_up = self._done >= _JOBS or self._resident > memory // _RESIDENT_SHARE
        return used_up or self._process.returncode is not None

    async def make(self, job: Job) -> Answer:
        """Have one job done. Raises `Died`; whoever gives up before the end has to `kill` it."""
        self._done += 1
        answer = await self._exchange(job)
        self._resident = answer.resident
        return answer

    async def _exchange(self, message: msgspec.Struct) -> Answer:
        try:
            self._jobs.write(framed(message))
            await self._jobs.drain()
            length = int.from_bytes(await self._answers.readexactly(4))
            return msgspec.msgpack.decode(await self._answers.readexactly(length), type=Answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Died(await self._process.wait()) from None

    async def kill(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._jobs.close()
        await self._process.wait()


class Workers:
    """The pool. The first job starts the first worker, and a second job at the same time the second.

    The first job of a process is its own question whether it is ready, so that no visitor waits for the start.
    """

    def __init__(self, names: Names, terms: Terms, instruments: Instruments, *, base: str = ROOT) -> None:
        self._names = names
        self._base = base
        self._terms = terms
        self._instruments = instruments
        self._turns = Turns(places=terms.count, waiting=terms.waiting, patience=terms.seconds)
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._spare: asyncio.Task[Worker] | None = None
        self._starts: set[asyncio.Task[Worker]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.pid for worker in self._all)

    @property
    def full(self) -> bool:
        """Whether every worker is at work, each within its limits."""
        return self._turns.full

    async def make(self, job: Job, *, who: str = "") -> Made:
        """Have a job done for somebody of the network `who`. Raises `NotANotebook`, `TooHard`, `Busy`, `Faulty`."""
        async with self._turns.turn(who):
            for _ in range(_TRIES):
                try:
                    return self._made(await self._answer(job))
                except Died as died:
                    self._instruments.worker_deaths.labels("died").inc()
                    if died.code not in _FROM_OUTSIDE:
                        break
            raise TooHard("Rendering this notebook ended the process that did it.", hint=_ADVICE)

    def _made(self, answer: Answer) -> Made:
        if answer.refusal is not None:
            raise NotANotebook(answer.refusal.message, where=answer.refusal.where, hint=answer.refusal.hint)
        if answer.fault:
            raise Faulty("The renderer failed over this notebook.", hint=answer.fault)
        if answer.made is None:
            limit = self._terms.memory
            raise TooHard(f"Rendering this notebook takes more than {limit} of memory, the limit here.", hint=_ADVICE)
        return answer.made

    async def _answer(self, job: Job) -> Answer:
        """One try. The worker goes back to the others, or is gone."""
        worker = await self._take()
        whole = False
        try:
            with self._instruments.render_seconds.time():
                async with asyncio.timeout(self._terms.seconds):
                    answer = await worker.make(job)
            whole = not answer.spent
            return answer
        except TimeoutError:
            self._instruments.worker_deaths.labels("time").inc()
            limit = self._terms.seconds
            raise TooHard(f"Rendering this notebook takes longer than {limit}, the limit here.", hint=_ADVICE) from None
        finally:
            if whole and not worker.worn(self._terms.memory):
                self._idle.append(worker)
            else:
                self._dismiss(worker)

    async def _take(self) -> Worker:
        """An idle worker, or a new one. Raises `Busy`."""
        while self._idle:
            worker = self._idle.pop()
            if not worker.worn(self._terms.memory):
                return worker
            self._dismiss(worker)
        spare, self._spare = self._spare or self._starting(), None
        try:
            return await asyncio.shield(spare)
        except (Died, TimeoutError, OSError):
            self._instruments.worker_deaths.labels("start").inc()
            raise Busy("There is nobody to render this notebook just now.", hint="Try again in a minute.") from None
        except asyncio.CancelledError:
            spare.add_done_callback(self._left_over)
            raise

    def _starting(self) -> asyncio.Task[Worker]:
        task = asyncio.create_task(self._started())
        self._starts.add(task)
        task.add_done_callback(self._begun)
        return task

    async def _started(self) -> Worker:
        worker = await Worker.start(self._names, base=self._base, memory=self._terms.memory)
        self._all.add(worker)
        return worker

    def _left_over(self, started: asyncio.Task[Worker]) -> None:
        """Nobody waits any more for a worker that was started."""
        if not started.cancelled() and started.exception() is None:
            self._idle.append(started.result())

    def _dismiss(self, worker: Worker) -> None:
        """Let go of one, and see to it that the next job finds another."""
        self._all.discard(worker)
        task = asyncio.create_task(worker.kill())
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)
        self._have_one()

    def _have_one(self) -> None:
        if not (self._closed or self._idle or self._spare):
            self._spare = self._starting()

    def _begun(self, task: asyncio.Task[Worker]) -> None:
        self._starts.discard(task)
        if not task.cancelled():
            task.exception()  # whoever takes the worker hears of it

    async def aclose(self) -> None:
        """End every worker; nothing that is being made is waited for."""
        self._closed = True
        for task in self._starts:
            task.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        await asyncio.gather(*self._ends, *(worker.kill() for worker in self._all))
        self._all.clear()


def _environment() -> Mapping[str, str]:
    """What a worker is told of this machine: nothing that is a secret."""
    return {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}


_ADVICE = "A notebook with less output, or without its largest cells, can be shown. The source can be downloaded."
