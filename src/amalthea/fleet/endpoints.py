"""The copies that an edge can send visitors to."""

from __future__ import annotations

from collections.abc import Iterable

from amalthea.fleet.change import lives
from amalthea.model.route import Endpoint
from amalthea.model.workload import EDGE, Running


def endpoint(site: str, copy: Running) -> Endpoint | None:
    """How an edge reaches one copy; None for an edge, and for what answers no visitor.

    One that restarts just now is an endpoint all the same: it may be back in a second, and whether it is,
    the edge's own health checks know better than a list made today.
    """
    http = copy.ports.get("http", 0)
    if copy.service == EDGE or not http or not lives(copy):
        return None
    return Endpoint(
        service=copy.service, site=site, address=copy.address, port=http, ready_port=copy.ports.get("admin") or http
    )


def endpoints(copies: Iterable[tuple[str, Running]]) -> list[Endpoint]:
    """How an edge reaches these copies, given with their sites; always in the same order."""
    found = {where for site, copy in copies if (where := endpoint(site, copy)) is not None}
    return sorted(found, key=lambda where: (where.service, where.site, where.address, where.port))
