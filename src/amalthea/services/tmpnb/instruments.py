"""What tmpnb counts, in Prometheus' form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_START_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Instruments:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sessions = Gauge(
            "amalthea_tmpnb_sessions", "Sessions: in use, or ready for somebody.", ("state",), registry=registry
        )
        self.capacity = Gauge("amalthea_tmpnb_capacity", "Sessions that this site has room for.", registry=registry)
        self.waiting = Gauge("amalthea_tmpnb_waiting", "Visitors in the queue.", registry=registry)
        self.starts = Counter(
            "amalthea_tmpnb_starts_total",
            "Sessions handed to somebody: from the pool, started at once, or failed.",
            ("how",),
            registry=registry,
        )
        self.start_seconds = Histogram(
            "amalthea_tmpnb_start_seconds",
            "From the click to a session that is there, without the time in the queue.",
            buckets=_START_SECONDS,
            registry=registry,
        )
        self.refused = Counter(
            "amalthea_tmpnb_refused_total", "Starts refused, by reason.", ("reason",), registry=registry
        )
        self.ends = Counter("amalthea_tmpnb_ends_total", "Sessions ended, by reason.", ("reason",), registry=registry)
        self.forwarded = Counter("amalthea_tmpnb_forwarded_total", "Requests passed to sessions.", registry=registry)
        self.restored = Counter(
            "amalthea_tmpnb_restored_total", "Sessions opened again with the files that they had.", registry=registry
        )
        self.throttled = Counter(
            "amalthea_tmpnb_throttled_total", "Sessions slowed down, their CPU budget spent.", registry=registry
        )
