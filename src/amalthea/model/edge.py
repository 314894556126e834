"""The proxy in front: the contract between the edge and whoever changes a fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from amalthea.model.route import Endpoint
from amalthea.model.workload import Workload

HOP_HEADER = "x-amalthea-hop"
"""Names the edge that already forwarded this request; it is never forwarded again."""

SITE_HEADER = "x-amalthea-site"
"""On a request: this site's copy and no other. On an answer: the site that gave it."""


class Edge(Protocol):
    """One proxy. It keeps its last good table when everything else is gone."""

    site: str

    def workload(self) -> Workload:
        """The process to keep running."""
        ...

    async def prepare(self, endpoints: Sequence[Endpoint]) -> None:
        """Write all that the process needs before its first start."""
        ...

    async def route(self, endpoints: Sequence[Endpoint]) -> None:
        """Send visitors to these copies; in force when it returns. Raises `Unreachable` when refused."""
        ...

    async def healthy(self) -> Mapping[Endpoint, bool]:
        """The copies it routes to, and whether its own health checks pass. Raises `Unreachable`."""
        ...
