"""What would be unsafe about a set of changes, with numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from amalthea.fleet.change import Action, Change, lives
from amalthea.model.workload import Feature, State

LAST_COPY = "last-copy"
BLAST_RADIUS = "blast-radius"
UNREACHABLE_SITE = "unreachable-site"
UNSUPPORTED = "unsupported"


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has to be asked for by name or, where not `allowable`, cannot be done at all."""

    name: str
    message: str
    allowable: bool = True


def last_copies(changes: Sequence[Change]) -> Iterator[Risk]:
    """Services, the edge among them, that run now and would not run anywhere afterwards.

    What has yet to start counts as running afterwards, because nothing old is stopped before it works; what
    is kept counts only if it works now.
    """
    stopping = Counter(change.service for change in changes for copy in change.old if lives(copy))
    staying = {change.service for change in changes if _serves_afterwards(change)}
    for service, count in sorted(stopping.items()):
        if service not in staying:
            copies = "its last copy" if count == 1 else f"all of its {count} copies"
            yield Risk(name=LAST_COPY, message=f"stops {copies} of {service}; none would be left at any site")


def blast(changes: Sequence[Change], limit: float) -> Iterator[Risk]:
    """More running workloads replaced or stopped at once than `limit`, a share from 0 to 1."""
    touched = sum(lives(copy) for change in changes for copy in change.old)
    total = touched + sum(change.running is not None for change in changes)
    if touched > limit * total:
        share = f"touches {touched} of {total} running workloads ({100 * touched / total:.0f} %)"
        yield Risk(name=BLAST_RADIUS, message=f"{share}, limit {100 * limit:.0f} %")


def unreachable_sites(lost: Mapping[str, str], wanted: Counter[str]) -> Iterator[Risk]:
    """Sites that could not be observed, with why; `wanted` counts what each of them should run."""
    for site, why in sorted(lost.items()):
        message = f"{site} cannot be observed ({why}): the {wanted[site]} workloads wanted there are left as they are"
        yield Risk(name=UNREACHABLE_SITE, message=message)


def unsupported(changes: Sequence[Change], supports: Mapping[str, frozenset[Feature]]) -> Iterator[Risk]:
    """Workloads that would have to start where something they need is missing."""
    for change in changes:
        if change.workload is None or change.action is Action.KEEP:
            continue
        for feature in sorted(change.workload.needs - supports.get(change.site, frozenset())):
            message = f"{change.name} needs {feature.value}, which {change.site} does not have"
            yield Risk(name=UNSUPPORTED, message=message, allowable=False)


def _serves_afterwards(change: Change) -> bool:
    if change.action is Action.KEEP:
        return change.running is not None and change.running.state is State.RUNNING
    return change.workload is not None
