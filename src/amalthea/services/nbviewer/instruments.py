"""What nbviewer counts, in Prometheus' form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Instruments:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._of_sources(registry)
        self._of_pages(registry)
        self._of_rendering(registry)

    def _of_sources(self, registry: CollectorRegistry) -> None:
        self.fetches = Counter(
            "amalthea_nbviewer_fetches_total",
            "Requests to sources: changed, unchanged (304, free of GitHub budget), or failed with an HTTP status "
            "for the visitor.",
            ("result",),
            registry=registry,
        )
        self.stale = Counter(
            "amalthea_nbviewer_stale_total",
            "Answers made from a copy that its source did not vouch for.",
            registry=registry,
        )
        self.github_budget = Gauge(
            "amalthea_nbviewer_github_budget",
            "GitHub API requests left in this hour of each token, by its place in the variable that holds them, as "
            "GitHub last said; not a number before it said anything.",
            ("token",),
            registry=registry,
        )

    def _of_pages(self, registry: CollectorRegistry) -> None:
        self.store_failures = Counter(
            "amalthea_nbviewer_store_failures_total",
            "Store operations that failed; visitors got their page all the same.",
            ("operation",),
            registry=registry,
        )
        self.pages = Counter(
            "amalthea_nbviewer_pages_total",
            "Notebook pages: from memory, from the store, assembled around what was rendered before, or rendered.",
            ("origin",),
            registry=registry,
        )
        self.swept = Counter(
            "amalthea_nbviewer_swept_total", "Objects deleted from the store for their age or size.", registry=registry
        )
        self.refused = Counter(
            "amalthea_nbviewer_refused_total",
            "Requests of networks that asked for too much new work: fetch, render, flush.",
            ("work",),
            registry=registry,
        )

    def _of_rendering(self, registry: CollectorRegistry) -> None:
        self.render_seconds = Histogram(
            "amalthea_nbviewer_render_seconds", "Time to render one notebook, without waiting.", registry=registry
        )
        self.waiting_seconds = Histogram(
            "amalthea_nbviewer_waiting_seconds",
            "Time from wanting a page that is not there to having it: reading, waiting and rendering.",
            registry=registry,
        )
        self.worker_deaths = Counter(
            "amalthea_nbviewer_worker_deaths_total",
            "Rendering processes that ended during a job: time, memory, died; or that did not start.",
            ("reason",),
            registry=registry,
        )
        self.render_failures = Counter(
            "amalthea_nbviewer_render_failures_total", "Notebooks that could not be rendered.", registry=registry
        )
        self.rendering = Gauge(
            "amalthea_nbviewer_rendering", "Notebooks being rendered or waiting for it.", registry=registry
        )
