"""nbviewer as the fleet knows it: its routes, probes, data and process."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import msgspec

from amalthea.model.dataset import Dataset
from amalthea.model.fleet import Fleet, Site
from amalthea.model.probe import Probe
from amalthea.model.route import Fallback, Route
from amalthea.model.service import Runtime
from amalthea.model.units import Duration
from amalthea.model.workload import Workload
from amalthea.services.nbviewer.content.application import ROBOTS
from amalthea.services.nbviewer.content.origins import Origins, origins
from amalthea.services.nbviewer.fetching.index import BLOBS, SEEN
from amalthea.services.nbviewer.hub.gate import place
from amalthea.services.nbviewer.opening import opened
from amalthea.services.nbviewer.pages.frontpage import FRONT_TEXT
from amalthea.services.nbviewer.press.shelf import BODIES, FRAMES, PAGES
from amalthea.services.nbviewer.settings import Settings
from amalthea.web import server
from amalthea.web.admin import admin_application
from amalthea.web.metrics import registry as new_registry

log = logging.getLogger(__name__)

NAME = "nbviewer"
SAMPLE_TEXT = "Four moons, one notebook"


class Nbviewer:
    """Shows notebooks from the web as pages."""

    name = NAME
    summary = "notebooks from the web, as pages to read and to link to"
    settings: type[Any] = Settings
    watches = False
    copies = True

    def routes(self, settings: Settings, fleet: Fleet) -> Sequence[Route]:
        """Its own host, and that of its content; one answer may come from either of two copies."""
        pages = Route(
            service=NAME,
            host=NAME,
            timeout=Duration(30),
            hedge=settings.hedge,
            websocket=False,
            fallback=Fallback(redirect=settings.fallback, keep_path=bool(settings.fallback)),
        )
        content = origins(fleet.names, settings.content_url).content_host
        if not content:
            return (pages,)
        return (pages, msgspec.structs.replace(pages, host=content, fallback=Fallback()))

    def probes(self, settings: Settings, fleet: Fleet) -> Sequence[Probe]:
        """The front page, a notebook that is really rendered, and the origin that its frames need."""
        content = origins(fleet.names, settings.content_url).content_host
        base = settings.base_url
        return (
            Probe(name="front page", path=base, contains=FRONT_TEXT),
            Probe(name="sample notebook", path=f"{base}sample", contains=SAMPLE_TEXT),
            *([Probe(name="content origin", host=content, path="/robots.txt", contains=ROBOTS)] if content else []),
        )

    def datasets(self, settings: Settings) -> Sequence[Dataset]:
        """Copies of what sources gave, and what was made of them: kept for a while, never backed up."""
        return tuple(
            Dataset(prefix=prefix, retention=settings.retention, backup=False)
            for prefix in (BLOBS, SEEN, PAGES, BODIES, FRAMES)
        )

    def workloads(self, settings: Settings, site: Site) -> Sequence[Workload]:
        """One process."""
        return (Workload(name=NAME, service=NAME, argv=("amalthea", "serve", NAME)),)

    async def serve(self, settings: Settings, site: Site, runtime: Runtime) -> None:
        """Answer visitors until cancelled; as a service of a JupyterHub where one started this.

        Raises `PortInUse`, `UsageError`.
        """
        registry = new_registry()
        token = os.environ.get(settings.github_token_variable, "")
        hub = place(os.environ)
        _tell(origins(site.names, settings.content_url, hub=hub))
        async with opened(settings, site, runtime=runtime, registry=registry, token=token, hub=hub) as nbviewer:
            admin = admin_application(nbviewer.ready, registry)
            await server.serve(nbviewer.application, admin, runtime.listen)


def _tell(places: Origins) -> None:
    """Say where what notebooks run is shown, as that is a second name that has to lead here."""
    if places.content:
        log.info("plots, widgets and raw files are shown at %s", places.content)
    else:
        log.warning(
            "plots and widgets are not shown: what notebooks run needs a host of its own. "
            "Set content_url to a second name of this machine"
        )
