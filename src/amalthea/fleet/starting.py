"""One workload from its start until it answers, and what its log says when it does not."""

from __future__ import annotations

import asyncio

from amalthea.model.errors import ExitCode, Unreachable
from amalthea.model.provider import Provider
from amalthea.model.units import Duration
from amalthea.model.workload import Running, State, Workload
from amalthea.probes.http import ready

ASK_EVERY = 0.05
LOOK_EVERY = 1.0
GIVE_UP_AFTER = 8.0
LOG_LINES = 10
LOG_WITHIN = 5.0


class NotUp(Exception):
    """A workload did not come up: which, where and why. `apply` makes an error for people of it."""

    def __init__(self, site: str, workload: Workload, reason: str, *, exit_code: ExitCode) -> None:
        super().__init__(reason)
        self.site = site
        self.workload = workload
        self.reason = reason
        self.exit_code = exit_code


async def start(site: str, provider: Provider, workload: Workload) -> Running:
    """Start it, without waiting. Raises `NotUp`."""
    try:
        return await provider.start(workload)
    except Unreachable as error:
        raise NotUp(site, workload, str(error), exit_code=error.exit_code) from error


async def until_ready(site: str, provider: Provider, workload: Workload, copy: Running, *, within: Duration) -> Running:
    """Wait until a started copy answers, and return it as last observed. Raises `NotUp`.

    It is asked often and looked at seldom: asking is cheap, and a provider may have to search for the copy. One
    that has ended and is not ready `GIVE_UP_AFTER` seconds later is not waited for any longer.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    began, ended = loop.time(), False
    look = began + LOOK_EVERY
    while trouble := await _trouble(workload, copy):
        if loop.time() >= deadline:
            reason = f"was not ready within {Duration(round(deadline - began, 1))}: {trouble}"
            raise NotUp(site, workload, reason, exit_code=ExitCode.FAULT)
        await asyncio.sleep(ASK_EVERY)
        if loop.time() >= look:
            look = loop.time() + LOOK_EVERY
            copy = await _look(site, provider, workload, copy)
            if copy.state is State.RESTARTING and not ended:
                ended = True
                deadline = min(deadline, loop.time() + GIVE_UP_AFTER)
    return copy


async def last_lines(provider: Provider, key: str) -> list[str]:
    """The end of a workload's log, safe to print; or why there is none."""
    lines: list[str] = []
    try:
        async with asyncio.timeout(LOG_WITHIN):
            lines += [_printable(line) async for line in provider.logs(key, lines=LOG_LINES)]
    except (Unreachable, TimeoutError) as error:
        lines.append(f"(its log cannot be read: {error or 'no answer'})")
    return lines[-LOG_LINES:]


def _printable(line: str) -> str:
    return "".join(c for c in line.expandtabs() if c.isprintable())


async def _trouble(workload: Workload, copy: Running) -> str:
    """What keeps it from being ready, or "". One without a port or a path to ask is ready when it runs."""
    if copy.state is State.RESTARTING:
        return f"it keeps ending: {copy.detail}" if copy.detail else "it keeps ending"
    if not workload.ready or not workload.ports:
        return ""
    port = copy.ports.get("admin") or copy.ports.get("http")
    if not port:
        return "its port is not known yet"
    return await ready(address=copy.address, port=port, path=workload.ready)


async def _look(site: str, provider: Provider, workload: Workload, copy: Running) -> Running:
    try:
        seen = (await provider.running()).get(workload.key, copy)
    except Unreachable as error:
        raise NotUp(site, workload, str(error), exit_code=error.exit_code) from error
    if seen.state is State.STOPPED:
        raise NotUp(site, workload, seen.detail or "it ended", exit_code=ExitCode.FAULT)
    return seen
