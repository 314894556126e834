"""Group commit: changes that wait at the same time become durable together.

While one batch is on its way to the disk, further changes gather; they are the next batch. So a lone writer
waits for the disk alone, and sixty-four writers wait for it together. The disk has a thread of its own; the
event loop never waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from amalthea.store.commit import Change, Commit, Outcome

LARGEST_BATCH = 64  # files and directories of a batch are open at the same time

_Waiting = tuple[Change, asyncio.Future[str]]


class GroupCommit:
    """Gathers the changes of all tasks of one event loop into batches for one thread."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="amalthea-commit")
        self._waiting: list[_Waiting] = []
        self._idle = asyncio.Event()
        self._idle.set()

    async def submit(self, change: Change) -> str:
        """Return the etag when the change is durable. A cancelled call may still happen."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()
        self._waiting.append((change, done))
        if self._idle.is_set():
            self._idle.clear()
            loop.call_soon(self._next, loop)  # not at once: other tasks of this turn of the loop come along
        return await done

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        wanted = [one for one in self._waiting if not one[1].cancelled()]
        batch, self._waiting = wanted[:LARGEST_BATCH], wanted[LARGEST_BATCH:]
        if not batch:
            self._idle.set()
            return

        def finished(outcomes: Future[list[Outcome]]) -> None:
            loop.call_soon_threadsafe(self._resolve, batch, outcomes, loop)

        self._thread.submit(self._commit.run, [change for change, _ in batch]).add_done_callback(finished)

    def _resolve(
        self, batch: Sequence[_Waiting], outcomes: Future[list[Outcome]], loop: asyncio.AbstractEventLoop
    ) -> None:
        fault = outcomes.exception()
        results = outcomes.result() if fault is None else [fault] * len(batch)
        for (_, done), result in zip(batch, results, strict=True):
            if done.cancelled():
                continue
            if isinstance(result, str):
                done.set_result(result)
            else:
                done.set_exception(result)
        loop.call_soon(self._next, loop)  # after the tasks that have just been woken: they may write again

    async def aclose(self) -> None:
        """Wait for what was submitted, then end the threads."""
        await self._idle.wait()
        self._thread.shutdown()
        self._commit.close()
