"""What a person wants to see of a running fleet: what is where, how it feels, and who has the visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from amalthea.fleet.change import lives
from amalthea.fleet.desired import Placement
from amalthea.fleet.endpoints import endpoint
from amalthea.model.fleet import HERE, Fleet
from amalthea.model.route import Endpoint
from amalthea.model.workload import EDGE, Running, State, Workload


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One workload. `healthy` is what the edges say, None where they say nothing; `serving` has visitors now."""

    service: str
    site: str
    name: str
    key: str
    state: State
    address: str
    ports: Mapping[str, int]
    memory: int | None
    started: datetime | None
    healthy: bool | None
    serving: bool
    detail: str = ""


def view(
    fleet: Fleet,
    running: Mapping[str, Mapping[str, Running]],
    health: Mapping[Endpoint, bool],
    wanted: Sequence[Placement] = (),
) -> list[Row]:
    """One row for each workload, edges first; `running` is by site and key, `health` from the edges together.

    What is `wanted` and has no process of any shape is there too, as stopped.
    """
    serving = _serving(fleet, health)
    rows = [_row(site, copy, health, serving) for site, copies in running.items() for copy in copies.values()]
    there = {(row.site, row.service, row.name) for row in rows}
    missing = [each for each in wanted if (each.site, each.workload.service, each.workload.name) not in there]
    rows += [_row(each.site, _stopped(each.workload), {}, set()) for each in missing]
    return sorted(rows, key=lambda row: (row.service != EDGE, row.service, row.site, row.key))


def _serving(fleet: Fleet, health: Mapping[Endpoint, bool]) -> set[Endpoint]:
    """The healthy copies of the best priority.

    An edge at a site prefers its own site, so every site that has an edge serves what is healthy there; one
    outside every site prefers its home. Only a service that is healthy at no preferred site is served by all.
    """
    healthy = {where for where, well in health.items() if well}
    preferred = set(fleet.edge_sites) if fleet.edge_sites != (HERE,) else {fleet.edge.home} - {""}
    best = {where for where in healthy if where.site in preferred}
    served = {where.service for where in best}
    return best | {where for where in healthy if where.service not in served}


def _stopped(workload: Workload) -> Running:
    return Running(
        key=workload.key, name=workload.name, service=workload.service, state=State.STOPPED, address="", detail="gone"
    )


def _row(site: str, copy: Running, health: Mapping[Endpoint, bool], serving: set[Endpoint]) -> Row:
    where = endpoint(site, copy)
    return Row(
        service=copy.service,
        site=site,
        name=copy.name,
        key=copy.key,
        state=copy.state,
        address=copy.address,
        ports=copy.ports,
        memory=copy.memory,
        started=copy.started,
        healthy=health.get(where) if where else None,
        serving=where in serving if copy.service != EDGE else lives(copy) and copy.state is not State.RESTARTING,
        detail=copy.detail,
    )
