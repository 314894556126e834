"""Opens everything that nbviewer needs, and closes it: clients, threads, caches, the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import msgspec
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from amalthea.model.clock import Clock
from amalthea.model.fleet import Site
from amalthea.model.service import Runtime
from amalthea.services.nbviewer.content.application import Content
from amalthea.services.nbviewer.content.origins import origins
from amalthea.services.nbviewer.content.raw_files import RawAddresses
from amalthea.services.nbviewer.crowds import Allowance, Counted, Crowds
from amalthea.services.nbviewer.fetching.addresses import Resolve
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
from amalthea.services.nbviewer.sources.every import every_source
from amalthea.services.nbviewer.sources.tokens import parse
from amalthea.web.admin import Ready
from amalthea.web.application import application
from amalthea.web.swift import Swift


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
    hub: HubPlace | None = None,
) -> AsyncIterator[Opened]:
    """Everything open until the block ends. Raises `UsageError` for settings that cannot be served.

    `token` holds the tokens for the GitHub API; `resolve` looks up host names, the system does when it is left out.
    `hub` is the JupyterHub whose users alone may come in, where there is one.
    """
    instruments = Instruments(registry)
    base = hub.prefix if hub else normal(settings.base_url, where="services.nbviewer.base_url")
    places = origins(site.names, settings.content_url, hub=hub)
    async with AsyncExitStack() as stack:
        signer = Signer(hub.token) if hub else None
        login = await stack.enter_async_context(_login(hub, signer, clock=runtime.clock)) if hub and signer else None
        raw = RawAddresses(places.content, signer) if places.content else None
        allowance = Allowance(pages=settings.rate_limit, seconds=settings.rate_limit_interval)
        crowds = Crowds(allowance, seconds=lambda: runtime.clock().timestamp(), instruments=instruments)
        cache = _cache(settings, site, runtime=runtime, crowds=crowds, instruments=instruments)
        sources = await stack.enter_async_context(
            every_source(
                settings,
                own_hosts=places.hosts,
                cache=cache,
                clock=runtime.clock,
                secrets=parse(token),
                budget=instruments.github_budget,
                resolve=resolve,
            )
        )
        paper = stationery(site.names, base=base, site=site.name)
        pages, static = paper.pages, paper.static
        workers = _workers(settings, site, base=base, instruments=instruments)
        stack.push_async_callback(workers.aclose)
        shelf = Shelf(runtime.store, instruments)
        press = Press(
            workers,
            shelf,
            paper=paper,
            content=places.content,
            memory=settings.page_memory,
            age=settings.retention,
            clock=runtime.clock,
            crowds=crowds,
            instruments=instruments,
        )
        stack.push_async_callback(press.aclose)
        sweep = _sweep(settings, site, runtime=runtime, instruments=instruments)
        sweeping = asyncio.create_task(sweep.run())
        stack.callback(sweeping.cancel)
        sample = Sample(workers, runtime.clock)
        visited = visiting.routes(
            settings,
            names=site.names,
            own_url=places.own,
            sources=sources,
            sample=sample,
            press=press,
            workers=workers,
            crowds=crowds,
            pages=pages,
            csp=notebook_csp(settings.github_raw_url, places.content),
            icon=static.url("amalthea.svg"),
            clock=runtime.clock,
            base=base,
            raw=raw,
        )
        others: dict[str, ASGIApp] = {}
        if raw is not None:
            content = Content(
                places, press=press, hosts=settings.frame_hosts, finder=Finder(sources), raw=raw, clock=runtime.clock
            )
            others[places.content_host] = content.application()
        app = application(
            visited if login is None else login.guarded(visited),
            site=site.name,
            pages=pages,
            static=static,
            registry=registry,
            csp=PAGE_CSP,
            base=base,
            others=others,
        )
        app = Counted(app, settings.trusted_proxies)
        if settings.local and site.names.domain == "localhost" and login is None:
            app = Near(app)
        if login is None:  # else it matters who asks
            app = Swift(app, memory=settings.page_memory // 2, registry=registry)
        yield Opened(app, sample.ready, cache, press, sweep)


def _cache(settings: Settings, site: Site, *, runtime: Runtime, crowds: Crowds, instruments: Instruments) -> Cache:
    return Cache(
        Index(runtime.store, site.name, clock=runtime.clock, instruments=instruments),
        memory=settings.source_memory,
        timing=Timing(fresh=settings.fresh, patience=settings.patience),
        clock=runtime.clock,
        crowds=crowds,
        instruments=instruments,
    )


def _sweep(settings: Settings, site: Site, *, runtime: Runtime, instruments: Instruments) -> Sweep:
    """What may go: what anybody can make again, and what this site alone has written."""
    own = f"{SEEN}{site.name}/"
    prefixes = dict.fromkeys((BLOBS, own, PAGES, BODIES), timedelta()) | {FRAMES: timedelta(hours=1)}
    keep = Keep(age=timedelta(seconds=settings.retention), size=settings.cache_size)
    return Sweep(runtime.store, prefixes, keep, clock=runtime.clock, instruments=instruments)


def _workers(settings: Settings, site: Site, *, base: str, instruments: Instruments) -> Workers:
    terms = Terms(
        count=settings.renders,
        waiting=settings.render_queue,
        seconds=settings.render_timeout,
        memory=settings.render_memory,
    )
    return Workers(site.names, terms, instruments, base=base)


@asynccontextmanager
async def _login(place: HubPlace, signer: Signer, *, clock: Clock) -> AsyncIterator[Login]:
    hub = Hub(place, clock=clock)
    try:
        yield Login(hub, signer, clock=clock)
    finally:
        await hub.aclose()
