"""The service: what it declares of itself, and its process at one site."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from amalthea.model.dataset import Dataset
from amalthea.model.fleet import Fleet, Site
from amalthea.model.probe import Probe, Watch
from amalthea.model.route import Fallback, Route
from amalthea.model.service import Runtime
from amalthea.model.units import Duration
from amalthea.model.workload import Workload
from amalthea.probes.http import HttpProber
from amalthea.services.status.board import board
from amalthea.services.status.exchange import Exchange
from amalthea.services.status.face import MARK, Face, View
from amalthea.services.status.ledger import PREFIX, Ledger
from amalthea.services.status.lookout import Lookout
from amalthea.services.status.settings import Settings
from amalthea.web.admin import admin_application
from amalthea.web.metrics import registry as new_registry
from amalthea.web.server import serve

STORE_NOTE = "The store does not work at the moment: what other sites see may be old."


class Status:
    """The status page."""

    name = "status"
    summary = "what works and what does not, at each site, and how old that knowledge is"
    settings: type[Any] = Settings
    watches = True
    copies = True

    def routes(self, settings: Settings, fleet: Fleet) -> Sequence[Route]:
        """Everything below the public name `status`; hedged, since the page is read when things go wrong."""
        fallback = Fallback(redirect=settings.fallback)
        return [Route(service=self.name, host="status", hedge=Duration(0.3), websocket=False, fallback=fallback)]

    def probes(self, settings: Settings, fleet: Fleet) -> Sequence[Probe]:
        """The front page, whatever it says."""
        return [Probe(name="front page", path="/?still", contains=MARK)]

    def datasets(self, settings: Settings) -> Sequence[Dataset]:
        """What the sites saw."""
        return [Dataset(prefix=PREFIX, retention=settings.keep, rpo=Duration(60))]

    def workloads(self, settings: Settings, site: Site) -> Sequence[Workload]:
        """One process."""
        return [Workload(name=self.name, service=self.name, argv=("amalthea", "serve", self.name))]

    async def serve(self, settings: Settings, site: Site, runtime: Runtime) -> None:
        """Ask, exchange and answer until cancelled. Raises `PortInUse`."""
        registry, clock, watches = new_registry(), runtime.clock, runtime.watches
        async with HttpProber(clock=clock) as prober:
            lookout = Lookout(watches, prober.ask, site=site.name, settings=settings, clock=clock, registry=registry)
            ledger = Ledger(runtime.store, site=site.name, others=_others(watches, site.name), registry=registry)

            def look() -> View:
                fresh_for = settings.fresh_for(watches)
                shown = board(watches, lookout.report(), ledger.reports, now=clock(), fresh_for=fresh_for)
                return View(board=shown, notes=(STORE_NOTE,) if ledger.trouble else ())

            title = settings.title or f"Status of {site.fleet}"
            face = Face(look, title=title, site=site.name, clock=clock, registry=registry)
            await _together(
                lookout.run(),
                Exchange(lookout, ledger, settings=settings, clock=clock).run(),
                serve(face.application(), admin_application(_ready, registry), runtime.listen),
            )


async def _ready() -> str:
    """Always: the page is there from the start, and has to be when nothing else works."""
    return ""


def _others(watches: Sequence[Watch], own: str) -> list[str]:
    """The other sites that run a status page, and so report what they see."""
    return list(dict.fromkeys(w.site for w in watches if w.service == Status.name and w.site != own))


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until cancelled, or until one fails: then the others are cancelled, and its error is raised bare."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
