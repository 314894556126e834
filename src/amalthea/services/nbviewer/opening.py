"""Opens everything that nbviewer needs, and closes it: clients, threads, caches, the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from ssl import SSLContext

import msgspec
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from amalthea.model.clock import Clock
from amalthea.model.fleet import Site
from amalthea.model.service import Runtime
from amalthea.services.nbviewer.content.application import Content
from amalthea.services.nbviewer.content.origins import origins
from amalthea.services.nbviewer.content.raw_files import RawAddresses
from amalthea.services.nbviewer.crowds import Allowance, Counted, Crowds
from amalthea.services.nbviewer.fetching.cache import Cache, Timing
from amalthea.services.nbviewer.fetching.index import BLOBS, SEEN, Index
from amalthea.services.nbviewer.hub.gate import Hub, HubPlace
from amalthea.services.nbviewer.hub.login import Login
from amalthea.services.nbviewer.hub.signing import Signer
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.pages import visiting
from amalthea.services.nbviewer.pages.answers import PAGE_CSP, notebook_csp
from amalthea.services.nbviewer.pages.basing import normal
from amalthea.services.nbviewer.pages.finding import Finder
from amalthea.services.nbviewer.pages.nearness import Near
from amalthea.services.nbviewer.pages.sample import Sample
from amalthea.services.nbviewer.press.press import Press
from amalthea.services.nbviewer.press.shelf import BODIES, FRAMES, PAGES, Shelf
from amalthea.services.nbviewer.press.stationery import stationery
from amalthea.services.nbviewer.press.sweeping import Keep, Sweep
from amalthea.services.nbviewer.press.workers import Terms, Workers
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Source
from amalthea.services.nbviewer.sources.every import every_source
from amalthea.services.nbviewer.sources.tokens import parse
from amalthea.web.addresses import Resolve
from amalthea.web.admin import Ready
from amalthea.web.application import application
from amalthea.web.swift import Swift
from amalthea.web.visitors import Visitors


class Opened(msgspec.Struct, frozen=True):
    """The visitors' application, whether it is ready, and what it keeps."""

    application: ASGIApp
    ready: Ready
    cache: Cache
    press: Press
    sweep: Sweep


@asynccontextmanager
async def opened(
    settings: Settings,
    site: Site,
    *,
    runtime: Runtime,
    registry: CollectorRegistry,
    token: str = "",
    resolve: Resolve | None = None,
    tls: SSLContext | None = None,
    hub: HubPlace | None = None,
) -> AsyncIterator[Opened]:
    """Everything open until the block ends. Raises `UsageError` for settings that cannot be served.

    `token` holds the tokens for the GitHub API; `resolve` looks up host names, the system does when it is left out;
    `tls` decides which of their certificates are good.
    `hub` is the JupyterHub whose users alone may come in, where there is one.
    """
    parts = _Parts(settings, site, runtime=runtime, registry=registry, hub=hub)
    async with AsyncExitStack() as stack:
        login = await stack.enter_async_context(_login(hub, parts.signer, clock=runtime.clock))
        sources = await stack.enter_async_context(
            every_source(
                settings,
                own_hosts=parts.places.hosts,
                cache=parts.cache,
                clock=runtime.clock,
                secrets=parse(token),
                budget=parts.instruments.github_budget,
                resolve=resolve,
                tls=tls,
            )
        )
        for part in (parts.workers, parts.press):
            stack.push_async_callback(part.aclose)
        sweep = parts.sweep()
        stack.callback(asyncio.create_task(sweep.run()).cancel)
        sample = Sample(parts.workers, runtime.clock)
        app = parts.application(sources, sample=sample, login=login)
        yield Opened(app, sample.ready, parts.cache, parts.press, sweep)


class _Parts:
    """What every request meets, made in the order in which one needs the other, and the application made of it."""

    def __init__(
        self,
        settings: Settings,
        site: Site,
        *,
        runtime: Runtime,
        registry: CollectorRegistry,
        hub: HubPlace | None,
    ) -> None:
        self.settings = settings
        self.site = site
        self.runtime = runtime
        self.registry = registry
        self.instruments = Instruments(registry)
        self.base = hub.prefix if hub else normal(settings.base_url, where="services.nbviewer.base_url")
        self.places = origins(site.names, settings.content_url, hub=hub)
        self.signer = Signer(hub.token) if hub else None
        self.raw = RawAddresses(self.places.content, self.signer) if self.places.content else None
        allowance = Allowance(pages=settings.rate_limit, seconds=settings.rate_limit_interval)
        self.crowds = Crowds(allowance, seconds=lambda: runtime.clock().timestamp(), instruments=self.instruments)
        self.paper = stationery(site.names, base=self.base, site=site.name)
        self.cache = self._cache()
        self.workers = self._workers()
        self.press = self._press()

    def _cache(self) -> Cache:
        clock = self.runtime.clock
        return Cache(
            Index(self.runtime.store, self.site.name, clock=clock, instruments=self.instruments),
            memory=self.settings.source_memory,
            timing=Timing(fresh=self.settings.fresh, patience=self.settings.patience),
            clock=clock,
            crowds=self.crowds,
            instruments=self.instruments,
        )

    def _workers(self) -> Workers:
        terms = Terms(
            count=self.settings.renders,
            waiting=self.settings.render_queue,
            seconds=self.settings.render_timeout,
            memory=self.settings.render_memory,
        )
        return Workers(self.site.names, terms, self.instruments, base=self.base)

    def _press(self) -> Press:
        return Press(
            self.workers,
            Shelf(self.runtime.store, self.instruments),
            paper=self.paper,
            content=self.places.content,
            memory=self.settings.page_memory,
            age=self.settings.retention,
            clock=self.runtime.clock,
            crowds=self.crowds,
            instruments=self.instruments,
        )

    def sweep(self) -> Sweep:
        """Of what anybody can make again, and what this site alone has written."""
        own = f"{SEEN}{self.site.name}/"
        prefixes = dict.fromkeys((BLOBS, own, PAGES, BODIES), timedelta()) | {FRAMES: timedelta(hours=1)}
        keep = Keep(age=timedelta(seconds=self.settings.retention), size=self.settings.cache_size)
        return Sweep(self.runtime.store, prefixes, keep, clock=self.runtime.clock, instruments=self.instruments)

    def application(self, sources: Sequence[Source], *, sample: Sample, login: Login | None) -> ASGIApp:
        """Both origins, and what stands in front of them."""
        visited = self._routes(sources, sample)
        app = application(
            visited if login is None else login.guarded(visited),
            site=self.site.name,
            pages=self.paper.pages,
            static=self.paper.static,
            registry=self.registry,
            csp=PAGE_CSP,
            base=self.base,
            others=self._content(sources),
        )
        app = Counted(app, Visitors(self.settings.trusted_proxies, where="services.nbviewer.trusted_proxies"))
        if login is not None:  # it matters who asks, so nothing is answered before that is known
            return app
        if self.settings.local and self.site.names.domain == "localhost":
            app = Near(app)
        return Swift(app, memory=self.settings.page_memory // 2, registry=self.registry)

    def _routes(self, sources: Sequence[Source], sample: Sample) -> Sequence[BaseRoute]:
        return visiting.routes(
            self.settings,
            names=self.site.names,
            own_url=self.places.own,
            sources=sources,
            sample=sample,
            press=self.press,
            workers=self.workers,
            crowds=self.crowds,
            pages=self.paper.pages,
            csp=notebook_csp(self.settings.github_raw_url, self.places.content),
            icon=self.paper.static.url("amalthea.svg"),
            clock=self.runtime.clock,
            base=self.base,
            raw=self.raw,
        )

    def _content(self, sources: Sequence[Source]) -> Mapping[str, ASGIApp]:
        """The content origin under its name, where there is one."""
        if self.raw is None:
            return {}
        content = Content(
            self.places,
            press=self.press,
            hosts=self.settings.frame_hosts,
            finder=Finder(sources),
            raw=self.raw,
            clock=self.runtime.clock,
        )
        return {self.places.content_host: content.application()}


@asynccontextmanager
async def _login(place: HubPlace | None, signer: Signer | None, *, clock: Clock) -> AsyncIterator[Login | None]:
    if place is None or signer is None:
        yield None
        return
    hub = Hub(place, clock=clock)
    try:
        yield Login(hub, signer, clock=clock)
    finally:
        await hub.aclose()
