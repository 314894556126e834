"""What is counted of the work of sessions, in Prometheus' form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Instruments:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.snapshots = Counter(
            "amalthea_tmpnb_snapshots_total",
            "Snapshots of a session's files that were due: written, unchanged, or failed.",
            ("result",),
            registry=registry,
        )
        self.snapshot_seconds = Histogram(
            "amalthea_tmpnb_snapshot_seconds", "Time that a written snapshot took.", registry=registry
        )
        self.unsaved = Gauge(
            "amalthea_tmpnb_unsaved_sessions", "Living sessions whose last snapshot failed.", registry=registry
        )
        self.written = Counter(
            "amalthea_tmpnb_work_written_bytes_total", "Bytes of files kept, before packing.", registry=registry
        )
        self.read = Counter(
            "amalthea_tmpnb_work_read_bytes_total",
            "Bytes of kept files read for restoring and downloads, unpacked.",
            registry=registry,
        )
        self.lost = Counter(
            "amalthea_tmpnb_work_lost_files_total",
            "Kept files that could not be had again: missing, damaged, unreachable, refused by the home, and so on.",
            ("reason",),
            registry=registry,
        )
        self.swept = Counter(
            "amalthea_tmpnb_work_swept_total", "Objects of sessions removed after their time.", registry=registry
        )
        self.sweep_failures = Counter(
            "amalthea_tmpnb_work_sweep_failures_total",
            "Passes of removing that the store broke off.",
            registry=registry,
        )
