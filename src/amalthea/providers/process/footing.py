"""Find out on what footing sessions can stand on this machine, by starting one that looks around and ends."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence

from amalthea.model.clock import Clock
from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Guarantee, Limits, Order
from amalthea.model.units import ByteSize
from amalthea.providers.process.belongings import Lender
from amalthea.providers.process.sandbox.walls import PROMISES
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
    """A launcher on the best footing that holds, and which walls stand then. Raises `ProviderError` when none does."""
    problems = [] if walls else ["walls were not asked for"]
    for footing in footings(walls=walls):
        launcher = SessionLauncher(lender, footing, clock=clock)
        try:
            found = await _rehearse(launcher, parent)
        except ProviderError as error:
            problems.append(error.message)
        else:
            return launcher, _guarantees({**found, **lender.limits}, problem="; ".join(problems))
    raise ProviderError(f"no session can be started on this machine: {'; '.join(problems)}")


async def _rehearse(launcher: SessionLauncher, parent: WarmParent) -> Mapping[str, str]:
    name = f"rehearsal-{secrets.token_hex(6)}"
    order = Order(name=name, environment="", base_url="/", token=secrets.token_hex(16), limits=_LIMITS)
    session = await launcher.launch(order, parent, rehearsal=True)
    try:
        return session.examined
    finally:
        await session.discard()


def _guarantees(found: Mapping[str, str], *, problem: str) -> Sequence[Guarantee]:
    def guarantee(name: str) -> Guarantee:
        missing = found.get(name, "it was not looked for")
        detail = f"{missing}; {problem}" if missing and problem and name not in {"memory", "cpu", "pids"} else missing
        return Guarantee(name=name, holds=not missing, promise=PROMISES[name], detail=detail)

    return tuple(map(guarantee, PROMISES))
