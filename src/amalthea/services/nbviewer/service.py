"""nbviewer as the fleet knows it: its routes, probes, data and process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from amalthea.model.dataset import Dataset
from amalthea.model.fleet import Fleet, Site
from amalthea.model.probe import Probe
from amalthea.model.route import Fallback, Route
from amalthea.model.service import Runtime
from amalthea.model.units import Duration
from amalthea.model.workload import Workload
from amalthea.services.nbviewer.frontpage import FRONT_TEXT
from amalthea.services.nbviewer.index import BLOBS, SEEN
from amalthea.services.nbviewer.opening import opened
from amalthea.services.nbviewer.settings import Settings
from amalthea.web import server
from amalthea.web.admin import admin_application
from amalthea.web.metrics import registry as new_registry

NAME = "nbviewer"
SAMPLE_TEXT = "Four moons, one notebook"


class Nbviewer:
    """Shows notebooks from the web as pages."""

    name = NAME
    summary = "notebooks from the web, as pages to read and to link to"
    settings: type[Any] = Settings
    watches = False

    def routes(self, settings: Settings, fleet: Fleet) -> Sequence[Route]:
        """Its own host; one answer may come from either of two copies."""
        return (
            Route(
                service=NAME,
                host=NAME,
                timeout=Duration(30),
                hedge=settings.hedge,
                websocket=False,
                fallback=Fallback(redirect=settings.fallback, keep_path=bool(settings.fallback)),
            ),
        )

    def probes(self, settings: Settings, fleet: Fleet) -> Sequence[Probe]:
        """The front page, and a notebook that is really rendered."""
        return (
            Probe(name="front page", path="/", contains=FRONT_TEXT),
            Probe(name="sample notebook", path="/sample", contains=SAMPLE_TEXT),
        )

    def datasets(self, settings: Settings) -> Sequence[Dataset]:
        """Copies of what sources gave: kept for a while, never backed up."""
        return tuple(Dataset(prefix=prefix, retention=settings.retention, backup=False) for prefix in (BLOBS, SEEN))

    def workloads(self, settings: Settings, site: Site) -> Sequence[Workload]:
        """One process."""
        return (Workload(name=NAME, service=NAME, argv=("amalthea", "serve", NAME)),)

    async def serve(self, settings: Settings, site: Site, runtime: Runtime) -> None:
        """Answer visitors until cancelled. Raises `PortInUse`, `UsageError`."""
        registry = new_registry()
        token = os.environ.get(settings.github_token_variable, "")
        async with opened(settings, site, runtime=runtime, registry=registry, token=token) as nbviewer:
            admin = admin_application(nbviewer.ready, registry)
            await server.serve(nbviewer.application, admin, runtime.listen)
