"""End the processes of one workload: politely, then by force, until the process table shows none.

The keeper is asked first, since it ends its child and whatever that left behind; without a keeper the program's
group is asked. A frozen process is woken, or it would not hear. After the grace everything but the keeper is
killed, so that the keeper can collect the rest, and half a second later the keeper too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence

from amalthea.model.errors import ProviderError
from amalthea.providers.process.keeper import stat_of
from amalthea.providers.process.observation import Sighting

Look = Callable[[], Sequence[Sighting]]

KEEPER_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
_POLITE_LOOK_SECONDS = 1.0
_FORCED_LOOK_SECONDS = 0.1


async def end(look: Look, *, grace: float) -> None:
    """Return when `look` shows no process any more. Raises `ProviderError` when one cannot be killed."""
    begun, asked = time.monotonic(), set[tuple[int, int]]()
    while seen := await asyncio.to_thread(look):
        late = time.monotonic() - begun - grace
        if late > PATIENCE_SECONDS:
            pids = ", ".join(str(one.pid) for one in seen)
            raise ProviderError("it does not end, not even killed", where=f"process {pids}")
        if late < 0:
            _ask([one for one in _asked(seen) if (one.pid, one.born) not in asked])
            asked.update((one.pid, one.born) for one in seen)
            await _gone(seen, min(-late, _POLITE_LOOK_SECONDS))
        else:
            _kill([one for one in seen if not one.keeper or late > KEEPER_SECONDS])
            await _gone(seen, _FORCED_LOOK_SECONDS)


def _asked(seen: Sequence[Sighting]) -> Sequence[Sighting]:
    return [one for one in seen if one.keeper] or seen


def _ask(processes: Sequence[Sighting]) -> None:
    groups = {one.group for one in processes if one.program}
    for one in processes:
        for number in (signal.SIGTERM, signal.SIGCONT):
            if one.program:
                _send(one, number, group=True)
            elif one.group not in groups:
                _send(one, number)


def _kill(processes: Iterable[Sighting]) -> None:
    for one in processes:
        _send(one, signal.SIGKILL, group=one.program)


def _handle(one: Sighting) -> int | None:
    """A descriptor of this very process, or None when it is gone, though its number may be in use again."""
    try:
        handle = os.pidfd_open(one.pid)
    except OSError:
        return None
    try:
        if int(stat_of(one.pid)[19]) == one.born:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _send(one: Sighting, number: signal.Signals, *, group: bool = False) -> None:
    handle = _handle(one)
    if handle is None:
        return
    try:
        if group and one.group == one.pid:
            os.killpg(one.group, number)
        else:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


async def _gone(processes: Iterable[Sighting], seconds: float) -> None:
    """Wait until all of them are gone, or the time is up."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    waiting = {handle for one in processes if (handle := _handle(one)) is not None}

    def gone(handle: int) -> None:
        loop.remove_reader(handle)
        os.close(handle)
        waiting.discard(handle)
        if not waiting:
            over.set()

    for handle in waiting:
        loop.add_reader(handle, gone, handle)
    try:
        if waiting:
            async with asyncio.timeout(seconds):
                await over.wait()
    except TimeoutError:
        return
    finally:
        for handle in tuple(waiting):
            gone(handle)
