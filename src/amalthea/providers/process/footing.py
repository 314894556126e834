"""Find out on what footing sessions can stand on this machine, by starting one that looks around and ends."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from amalthea.model.clock import Clock
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Guarantee, Limits, Order
from amalthea.model.units import ByteSize
from amalthea.providers.process.belongings import Lender
from amalthea.providers.process.sandbox.walls import PROMISES
from amalthea.providers.process.session import PATIENCE_SECONDS, Session
from amalthea.providers.process.session_launcher import Footing, SessionLauncher
from amalthea.providers.process.warm_parent import WarmParent

_MIB = 1 << 20
_LIMITS = Limits(memory=ByteSize(256 * _MIB), cpu=1.0, processes=32, disk=ByteSize(16 * _MIB), files=1000)


def footings(*, walls: bool) -> Sequence[Footing]:
    """What to try, the best first.

    An administrator makes each session another user, and never one that is the administrator; anybody else has user
    namespaces.
    """
    own = os.geteuid() == 0
    return [Footing(walled=one, own_uid=own) for one in (True, False) if walls or not one]


async def find_launcher(
    lender: Lender, parent: WarmParent, *, clock: Clock, walls: bool
) -> tuple[SessionLauncher, Sequence[Guarantee]]:
    """A launcher on the best footing that holds, and which walls stand then.

    Raises `ProviderError` when none does. A server that fails behind its walls is not tried without them.
    """
    problems = [] if walls else ["walls were not asked for"]
    for footing in footings(walls=walls):
        launcher = SessionLauncher(lender, footing, clock=clock)
        try:
            session = await launcher.launch(_an_order(), parent, rehearsal=True)
        except ProviderError as error:
            problems.append(error.message)
        else:
            found = await _asked(session, parent)
            return launcher, _guarantees({**found, **lender.limits}, problem="; ".join(problems))
    raise ProviderError(f"no session can be started on this machine: {'; '.join(problems)}")


async def rehearse(launcher: SessionLauncher, parent: WarmParent) -> None:
    """Start a session that answers one question and ends. Raises `ProviderError` when it does not.

    What goes wrong inside is in the log of the environment.
    """
    await _asked(await launcher.launch(_an_order(), parent, rehearsal=True), parent)


def _an_order() -> Order:
    name = f"rehearsal-{secrets.token_hex(6)}"
    return Order(name=name, environment="", base_url="/", token=secrets.token_hex(16), limits=_LIMITS)


async def _asked(session: Session, parent: WarmParent) -> Mapping[str, str]:
    """What it found of its walls, once its server has answered; then it is gone."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            if not await _answers(session.belongings.socket):
                problem = "the server of a session ends instead of answering; see the log of the environment"
                raise ProviderError(problem, where=parent.name)
        return session.examined
    except TimeoutError as error:
        raise ProviderError("the server of a session does not answer", where=parent.name) from error
    finally:
        await session.discard()


async def _answers(path: Path) -> bool:
    """Whether there is HTTP to be had on that socket: any answer is one, for nobody asks with the right token."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(b"GET /api HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return (await reader.read(5)) == b"HTTP/"
    except ConnectionError:
        return False
    finally:
        writer.close()


def _guarantees(found: Mapping[str, str], *, problem: str) -> Sequence[Guarantee]:
    def guarantee(name: str) -> Guarantee:
        missing = found.get(name, "it was not looked for")
        detail = f"{missing}; {problem}" if missing and problem and name not in {"memory", "cpu", "pids"} else missing
        return Guarantee(name=name, holds=not missing, promise=PROMISES[name], detail=detail)

    return tuple(map(guarantee, PROMISES))
