"""What nbviewer counts, in Prometheus' form."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Instruments:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fetches = Counter(
            "amalthea_nbviewer_fetches_total",
            "Requests to sources: changed, unchanged, or failed with an HTTP status for the visitor.",
            ("result",),
            registry=registry,
        )
        self.stale = Counter(
            "amalthea_nbviewer_stale_total",
            "Answers made from a copy that its source did not vouch for.",
            registry=registry,
        )
        self.store_failures = Counter(
            "amalthea_nbviewer_store_failures_total",
            "Store operations that failed; visitors got their page all the same.",
            ("operation",),
            registry=registry,
        )
        self.pages = Counter(
            "amalthea_nbviewer_pages_total", "Notebook pages: from memory, or rendered.", ("origin",), registry=registry
        )
        self.render_seconds = Histogram(
            "amalthea_nbviewer_render_seconds", "Time to render one notebook, without waiting.", registry=registry
        )
        self.render_failures = Counter(
            "amalthea_nbviewer_render_failures_total", "Notebooks that could not be rendered.", registry=registry
        )
        self.rendering = Gauge(
            "amalthea_nbviewer_rendering", "Notebooks being rendered or waiting for it.", registry=registry
        )
        self.github_budget = Gauge(
            "amalthea_nbviewer_github_budget",
            "GitHub API requests left in this hour, as GitHub last said; not a number before it said anything.",
            registry=registry,
        )
        self.github_budget.set(math.nan)
