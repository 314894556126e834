"""Opens everything that nbviewer needs, and closes it: clients, threads, caches, the application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from amalthea import __version__
from amalthea.model.fleet import Site
from amalthea.model.service import Runtime
from amalthea.services.nbviewer.addresses import Resolve
from amalthea.services.nbviewer.cache import Cache, Timing
from amalthea.services.nbviewer.index import Index
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.rendering import Press
from amalthea.services.nbviewer.sample import Sample
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.sources.every import every_source
from amalthea.services.nbviewer.sources.tokens import parse
from amalthea.services.nbviewer.viewing import Viewing
from amalthea.services.nbviewer.work import Workshop
from amalthea.web.admin import Ready
from amalthea.web.application import application
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages

PACKAGE = "amalthea.services.nbviewer"


class Opened(msgspec.Struct, frozen=True):
    """The visitors' application, whether it is ready, and the copies it keeps."""

    application: ASGIApp
    ready: Ready
    cache: Cache


@asynccontextmanager
async def opened(
    settings: Settings,
    site: Site,
    *,
    runtime: Runtime,
    registry: CollectorRegistry,
    token: str = "",
    resolve: Resolve | None = None,
) -> AsyncIterator[Opened]:
    """Everything open until the block ends. Raises `UsageError` for settings that cannot be served.

    `token` holds the tokens for the GitHub API; `resolve` looks up host names, the system does when it is left out.
    """
    instruments = Instruments(registry)
    async with AsyncExitStack() as stack:
        cache = _cache(settings, site, runtime=runtime, instruments=instruments)
        sources = await stack.enter_async_context(
            every_source(
                settings,
                own_hosts=[site.names.host(name) for name in ("nbviewer", "content")],
                cache=cache,
                clock=runtime.clock,
                secrets=parse(token),
                budget=instruments.github_budget,
                resolve=resolve,
            )
        )
        static = StaticFiles("amalthea.web", PACKAGE)
        pages = Pages(static, PACKAGE, names=site.names, site=site.name, version=__version__)
        press = _press(settings, site, pages=pages, instruments=instruments)
        stack.push_async_callback(press.aclose)
        sample = Sample(runtime.clock)
        viewing = Viewing(
            settings,
            own_url=site.names.url("nbviewer"),
            sources=sources,
            sample=sample,
            press=press,
            pages=pages,
            icon=static.url("amalthea.svg"),
            clock=runtime.clock,
        )
        app = application(viewing.routes(), site=site.name, pages=pages, static=static, registry=registry)
        yield Opened(app, sample.ready, cache)


def _cache(settings: Settings, site: Site, *, runtime: Runtime, instruments: Instruments) -> Cache:
    return Cache(
        Index(runtime.store, site.name, clock=runtime.clock, instruments=instruments),
        memory=settings.source_memory,
        timing=Timing(fresh=settings.fresh, patience=settings.patience),
        clock=runtime.clock,
        instruments=instruments,
    )


def _press(settings: Settings, site: Site, *, pages: Pages, instruments: Instruments) -> Press:
    return Press(
        Workshop(pages),
        edition=__version__,
        content=site.names.url("content"),
        memory=settings.page_memory,
        renders=settings.renders,
        queue=settings.render_queue,
        instruments=instruments,
    )
