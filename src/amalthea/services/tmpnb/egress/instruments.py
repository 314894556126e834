"""What is counted of the connections that sessions make, in Prometheus' form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class EgressInstruments:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Counter(
            "amalthea_tmpnb_egress_connections_total",
            "Connections that sessions made or wanted to make, by how they ended: done, idle, broken, ended or spent, "
            "or refused for their host, address, name, method and so on, as in the log.",
            ("verdict",),
            registry=registry,
        )
        moved = Counter(
            "amalthea_tmpnb_egress_bytes_total",
            "Bytes between sessions and the hosts they connected to: up from sessions, down to them.",
            ("direction",),
            registry=registry,
        )
        self.up, self.down = moved.labels("up"), moved.labels("down")
        self.open = Gauge(
            "amalthea_tmpnb_egress_open", "Connections of sessions that are open just now.", registry=registry
        )
