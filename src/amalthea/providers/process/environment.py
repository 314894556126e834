"""The environment that a workload gets.

It is the one of the commanding process, because credentials of a store and the locale come that way, but for
what would change how the program behaves or lend it more than it needs:

- `AMALTHEA_*`: a fleet started from inside a workload of another must not be taken for that one;
- `PYTHON*`, but for those that say where modules are (`PYTHONPATH`, `PYTHONHOME`): a `PYTHONWARNINGS=error` or
  `PYTHONINSPECT` of somebody's shell is not meant for a service;
- what belongs to the service manager that started the command (`NOTIFY_SOCKET`, `LISTEN_*`, `WATCHDOG_*`);
- the operator's agents (`SSH_AUTH_SOCK`, `GPG_AGENT_INFO`): a service has no business with them.

`Workload.env` goes on top, and amalthea's own variables on top of that.
"""

from __future__ import annotations

from collections.abc import Mapping

from amalthea.model.errors import ProviderError
from amalthea.model.workload import Workload
from amalthea.providers.process.identity import KEEPER, Identity

LAUNCH_BYTES = 100 * 1024
"""Linux takes at most 128 KiB in one variable."""

_KEPT = ("PYTHONPATH", "PYTHONHOME")
_DROPPED = (
    "AMALTHEA_",
    "PYTHON",
    "NOTIFY_SOCKET",
    "LISTEN_",
    "WATCHDOG_",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GPG_AGENT_INFO",
)


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """What a workload inherits from the commanding process."""
    return {name: text for name, text in environment.items() if name in _KEPT or not name.startswith(_DROPPED)}


def compose(workload: Workload, identity: Identity, inherited: Mapping[str, str]) -> dict[str, str]:
    """The keeper's environment; the child gets the same with a role of its own. Raises `ProviderError`."""
    size = len(workload.launch.encode())
    if size > LAUNCH_BYTES:
        raise ProviderError(
            f"the launch text has {size // 1024} KiB; a process takes {LAUNCH_BYTES // 1024} KiB at most",
            where=workload.key,
            hint=f"Shorten the settings of {workload.service} in the fleet file.",
        )
    return {
        **passed_on(inherited),
        **workload.env,
        **identity.variables(),
        "AMALTHEA_ROLE": KEEPER,
        "AMALTHEA_LAUNCH": workload.launch,
    }
