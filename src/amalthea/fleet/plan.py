"""From what runs to what is wanted: a pure comparison, and what would be unsafe about it.

A changed workload has another key, so its new copy can run beside the old one until it is ready. A plan is a
value: it can be shown, refused and carried out, and the same observation always gives the same plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from amalthea.fleet.change import Action, Change, changes, stop
from amalthea.fleet.desired import Placement
from amalthea.fleet.risk import Risk, blast, last_copies, unreachable_sites, unsupported
from amalthea.model.errors import AmaltheaError, UnsafePlan
from amalthea.model.workload import Feature, Running, Workload


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The way from what runs to what is wanted, edges first; `unreachable` sites are no part of it."""

    changes: tuple[Change, ...] = ()
    risks: tuple[Risk, ...] = ()
    unreachable: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether carrying it out would change nothing that runs."""
        return all(change.action is Action.KEEP for change in self.changes)

    def of(self, *actions: Action) -> tuple[Change, ...]:
        """The changes of some kinds."""
        return tuple(change for change in self.changes if change.action in actions)

    def summary(self) -> str:
        """The plan in one line, such as `2 to start, 1 to stop, 5 to keep`."""
        counts = ((action.value, len(self.of(action))) for action in Action)
        return ", ".join(f"{count} to {action}" for action, count in counts if count) or "nothing to do"

    def refuse(self, allowed: Collection[str] = ()) -> None:
        """Raise `UnsafePlan` if the plan has a risk that is not in `allowed`."""
        refused = [risk for risk in self.risks if not (risk.allowable and risk.name in allowed)]
        if not refused:
            return
        ask = " ".join(f"--allow {name}" for name in dict.fromkeys(risk.name for risk in refused))
        raise UnsafePlan(
            "\n".join(["the plan is refused", *(f"  {risk.name}: {risk.message}" for risk in refused)]),
            hint=f"If that is meant: {ask}" if all(risk.allowable for risk in refused) else "",
        )


def plan(
    placements: Sequence[Placement],
    running: Mapping[str, Mapping[str, Running]],
    *,
    supports: Mapping[str, frozenset[Feature]],
    blast_radius: float,
    unreachable: Mapping[str, str] | None = None,
) -> Plan:
    """Compare what is wanted with what runs, by site and `Workload.key`.

    A site in `running` where nothing is wanted is emptied. `unreachable` gives the sites that could not be
    observed, and why; they are left as they are. `blast_radius` is a share from 0 to 1. Raises `AmaltheaError`
    for two workloads of one name at a site.
    """
    lost = unreachable or {}
    wanted = _by_site(placements)
    sites = sorted({*running, *wanted} - {*lost})
    steps = [step for site in sites for step in changes(site, wanted.get(site, {}), running.get(site, {}))]
    steps.sort(key=lambda step: step.order)
    risks = [
        *unsupported(steps, supports),
        *last_copies(steps),
        *blast(steps, blast_radius),
        *unreachable_sites(lost, Counter(placement.site for placement in placements)),
    ]
    return Plan(changes=tuple(steps), risks=tuple(risks), unreachable=tuple(sorted(lost)))


def teardown(running: Mapping[str, Mapping[str, Running]]) -> Plan:
    """Stop everything. It has no risks, because nobody asks for it by accident."""
    steps = [stop(site, copy) for site, copies in running.items() for copy in copies.values()]
    return Plan(changes=tuple(sorted(steps, key=lambda step: step.order)))


def _by_site(placements: Sequence[Placement]) -> dict[str, dict[tuple[str, str], Workload]]:
    sites: dict[str, dict[tuple[str, str], Workload]] = {}
    for placement in placements:
        workload = placement.workload
        mine = sites.setdefault(placement.site, {})
        if (workload.service, workload.name) in mine:
            raise AmaltheaError(f"{workload.service} has two workloads called {workload.name}", where=placement.site)
        mine[workload.service, workload.name] = workload
    return sites
