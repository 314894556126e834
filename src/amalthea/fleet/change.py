"""One step from what runs to what is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from amalthea.model.workload import EDGE, Running, State, Workload


class Action(StrEnum):
    """What a change does. An orphan that is wanted is adopted: its provider supervises it again."""

    START = "start"
    REPLACE = "replace"
    ADOPT = "adopt"
    STOP = "stop"
    KEEP = "keep"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One step at one site.

    `workload` is what is wanted there afterwards, None for a stop; `running` is its copy as observed, where
    it is kept or adopted; `old` is what is stopped once everything new works.
    """

    action: Action
    site: str
    service: str
    name: str
    workload: Workload | None = None
    running: Running | None = None
    old: tuple[Running, ...] = ()

    @property
    def order(self) -> tuple[bool, str, str, str, str]:
        """Edges first, so that a port in use is found before anything else runs."""
        return (self.service != EDGE, self.service, self.site, self.name, self.action)


def lives(running: Running) -> bool:
    """Whether a workload has a process, or will soon have one again."""
    return running.state is not State.STOPPED


def changes(site: str, wanted: Mapping[tuple[str, str], Workload], running: Mapping[str, Running]) -> Iterator[Change]:
    """The steps at one site; `wanted` is by service and name, `running` by key."""
    for (service, name), workload in wanted.items():
        others = tuple(
            copy
            for key, copy in running.items()
            if (copy.service, copy.name) == (service, name) and key != workload.key
        )
        yield from _towards(site, workload, running.get(workload.key), others)
    for copy in running.values():
        if (copy.service, copy.name) not in wanted:
            yield stop(site, copy)


def stop(site: str, copy: Running) -> Change:
    """End one copy that nothing replaces."""
    return Change(action=Action.STOP, site=site, service=copy.service, name=copy.name, old=(copy,))


def _towards(site: str, workload: Workload, copy: Running | None, others: tuple[Running, ...]) -> Iterator[Change]:
    """One workload that is wanted; `copy` is the one with its key, `others` are its earlier shapes."""
    if copy is None or not lives(copy):
        action, old, running = Action.REPLACE if others else Action.START, others, None
    else:
        action, old, running = Action.ADOPT if copy.state is State.ORPHANED else Action.KEEP, (), copy
        yield from (stop(site, other) for other in others)
    yield Change(
        action=action,
        site=site,
        service=workload.service,
        name=workload.name,
        workload=workload,
        running=running,
        old=old,
    )
