"""An edge that only remembers where it was told to send visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amalthea.model.edge import Edge
from amalthea.model.errors import Unreachable
from amalthea.model.route import Endpoint
from amalthea.model.workload import EDGE, Feature, Workload


class MemoryEdge:
    """`refuses` is a service whose copies it does not take."""

    def __init__(self, site: str, *, history: list[str] | None = None, port: int = 0) -> None:
        self.site = site
        self.history = history if history is not None else []
        self.port = port
        self.routes: list[Endpoint] = []
        self.prepared: list[Endpoint] | None = None
        self.refuses = ""

    def workload(self) -> Workload:
        return Workload(
            name=EDGE,
            service=EDGE,
            argv=("envoy",),
            ports={"http": self.port},
            needs=frozenset({Feature.FIXED_PORT}),
        )

    async def prepare(self, endpoints: Sequence[Endpoint]) -> None:
        self.prepared = list(endpoints)
        self.history.append(f"prepare {self.site}")

    async def route(self, endpoints: Sequence[Endpoint]) -> None:
        if any(endpoint.service == self.refuses for endpoint in endpoints):
            raise Unreachable("the table was refused", where=self.site)
        self.routes = list(endpoints)
        self.history.append(f"route {self.site}")

    async def healthy(self) -> Mapping[Endpoint, bool]:
        return dict.fromkeys(self.routes, True)

    @property
    def places(self) -> list[tuple[str, str]]:
        """The services and sites it sends visitors to."""
        return [(endpoint.service, endpoint.site) for endpoint in self.routes]


def _is_an_edge(edge: MemoryEdge) -> Edge:
    return edge
