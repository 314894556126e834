"""Request counts and durations, by route and status class, in Prometheus' form."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def registry() -> CollectorRegistry:
    """A registry of its own for each process, so that nothing is registered by an import."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    return made


class RequestMetrics:
    """Counts and times every request of the application it wraps.

    The label is the route's pattern, never the path: paths come from strangers.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        labels = ("route", "status")
        self.requests = Counter("amalthea_http_requests_total", "Requests answered.", labels, registry=registry)
        self.seconds = Histogram(
            "amalthea_http_request_seconds", "Time to the end of an answer.", ("route",), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started = "500", time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.requests.labels(route, status).inc()
            self.seconds.labels(route).observe(time.perf_counter() - started)
