"""Opens everything that nbviewer needs, and closes it: clients, threads, caches, the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from amalthea import __version__
from amalthea.model.errors import UsageError
from amalthea.model.fleet import Site
from amalthea.model.service import Runtime
from amalthea.services.nbviewer.addresses import Gate, Resolve, SystemResolver
from amalthea.services.nbviewer.cache import Cache, Timing
from amalthea.services.nbviewer.fetching import Fetcher, Limits
from amalthea.services.nbviewer.index import Index
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.rendering import Press
from amalthea.services.nbviewer.sample import Sample
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Source
from amalthea.services.nbviewer.sources.api import GitHubApi
from amalthea.services.nbviewer.sources.gist import GistSource
from amalthea.services.nbviewer.sources.github import GitHubSource
from amalthea.services.nbviewer.sources.local import LocalSource
from amalthea.services.nbviewer.sources.url import UrlSource
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

    `token` is for the GitHub API; `resolve` looks up host names, the system does when it is left out.
    """
    instruments = Instruments(registry)
    async with AsyncExitStack() as stack:
        if resolve is None:
            system = SystemResolver()
            stack.callback(system.close)
            resolve = system
        cache = _cache(settings, site, runtime=runtime, instruments=instruments)
        fetchers = _Fetchers(settings, site, runtime=runtime, resolve=resolve)
        for fetcher in (fetchers.operator, fetchers.visitor):
            stack.push_async_callback(fetcher.aclose)
        stack.push_async_callback(cache.aclose)
        api = GitHubApi(
            settings.github_api_url,
            token=token,
            fetcher=fetchers.operator,
            cache=cache,
            clock=runtime.clock,
            instruments=instruments,
        )
        static = StaticFiles("amalthea.web", PACKAGE)
        pages = Pages(static, PACKAGE, names=site.names, site=site.name, version=__version__)
        press = _press(settings, site, pages=pages, instruments=instruments)
        stack.push_async_callback(press.aclose)
        sample = Sample(runtime.clock)
        viewing = Viewing(
            settings,
            own_url=site.names.url("nbviewer"),
            sources=_sources(settings, fetchers, cache=cache, api=api),
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


class _Fetchers:
    """Two clients: one for the hosts that the fleet file names, one for what visitors name."""

    def __init__(self, settings: Settings, site: Site, *, runtime: Runtime, resolve: Resolve) -> None:
        limits = Limits(seconds=settings.fetch_timeout, size=settings.notebook_limit, redirects=settings.redirects)
        own = [site.names.host(name) for name in ("nbviewer", "content")]
        github = (settings.github_url, settings.github_api_url, settings.github_raw_url, settings.gist_url)
        operator = Gate(allowed=(*_named(github), *settings.private_hosts), denied=own, ports=settings.ports)
        visitor = Gate(allowed=settings.private_hosts, denied=own, ports=settings.ports)
        tls = httpx2.create_ssl_context()
        self.operator = Fetcher(operator, limits, tls=tls, resolve=resolve, clock=runtime.clock)
        self.visitor = Fetcher(visitor, limits, tls=tls, resolve=resolve, clock=runtime.clock)


def _named(urls: Iterable[str]) -> tuple[str, ...]:
    """`host:port` of each URL."""
    parsed = [urlsplit(url) for url in urls]
    return tuple(f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}" for url in parsed)


def _sources(settings: Settings, fetchers: _Fetchers, *, cache: Cache, api: GitHubApi) -> tuple[Source, ...]:
    """The sources in the order in which their paths are tried."""
    return (
        *_local(settings),
        GitHubSource(settings, fetcher=fetchers.operator, cache=cache, api=api),
        UrlSource(fetchers.visitor, cache),
        GistSource(settings, fetcher=fetchers.operator, cache=cache, api=api),
    )


def _local(settings: Settings) -> tuple[Source, ...]:
    if not settings.local:
        return ()
    if not Path(settings.local).is_dir():
        raise UsageError(
            f"there is no directory {settings.local!r}",
            where="services.nbviewer.local",
            hint="Create it, or name another.",
        )
    return (LocalSource(settings),)


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
