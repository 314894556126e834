"""Every source of a deployment, open: in the order in which their paths are tried, with clients of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from ssl import SSLContext
from urllib.parse import urlsplit

import httpx2
from prometheus_client import Gauge

from amalthea.model.clock import Clock
from amalthea.model.errors import UsageError
from amalthea.services.nbviewer.fetching.addresses import Gate
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.fetching.fetcher import Fetcher, Limits
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Source
from amalthea.services.nbviewer.sources.api import GitHubApi
from amalthea.services.nbviewer.sources.bitbucket import BitbucketSource
from amalthea.services.nbviewer.sources.gist import GistSource
from amalthea.services.nbviewer.sources.gitea import GiteaSource
from amalthea.services.nbviewer.sources.github import GitHubSource
from amalthea.services.nbviewer.sources.gitlab import GitLabSource
from amalthea.services.nbviewer.sources.huggingface import HuggingFaceSource
from amalthea.services.nbviewer.sources.local import LocalSource
from amalthea.services.nbviewer.sources.servers import Servers
from amalthea.services.nbviewer.sources.tokens import Tokens
from amalthea.services.nbviewer.sources.url import UrlSource
from amalthea.services.nbviewer.sources.zenodo import ZenodoSource
from amalthea.web.addresses import Resolve, SystemResolver

_ONE_SERVER = (BitbucketSource, HuggingFaceSource, ZenodoSource)


class Clients:
    """Two clients: one for the hosts that the fleet file names, one for what visitors name."""

    def __init__(
        self, settings: Settings, own_hosts: Iterable[str], *, tls: SSLContext, resolve: Resolve, clock: Clock
    ) -> None:
        limits = Limits(seconds=settings.fetch_timeout, size=settings.notebook_limit, redirects=settings.redirects)
        own = tuple(own_hosts)
        operator = Gate(allowed=(*_named(_urls(settings)), *settings.private_hosts), denied=own, ports=settings.ports)
        visitor = Gate(allowed=settings.private_hosts, denied=own, ports=settings.ports)
        self.operator = Fetcher(operator, limits, tls=tls, resolve=resolve, clock=clock)
        self.visitor = Fetcher(visitor, limits, tls=tls, resolve=resolve, clock=clock)

    def servers(self, urls: Iterable[str]) -> Servers:
        """Those that the fleet file names, and any other that the internet has."""
        return Servers(urls, named=self.operator, others=self.visitor)


@asynccontextmanager
async def every_source(
    settings: Settings,
    *,
    own_hosts: Iterable[str],
    cache: Cache,
    clock: Clock,
    secrets: tuple[str, ...],
    budget: Gauge,
    resolve: Resolve | None = None,
    tls: SSLContext | None = None,
) -> AsyncIterator[tuple[Source, ...]]:
    """The sources until the block ends. Raises `UsageError` for settings that cannot be served.

    `own_hosts` are never fetched; `secrets` are GitHub tokens, whose `budget` is shown; `resolve` looks up host
    names, the system does when it is left out; `tls` decides which certificates are good.
    """
    local = _local(settings)
    async with AsyncExitStack() as stack:
        if resolve is None:
            system = SystemResolver()
            stack.callback(system.close)
            resolve = system
        clients = Clients(settings, own_hosts, tls=tls or httpx2.create_ssl_context(), resolve=resolve, clock=clock)
        for client in (clients.operator, clients.visitor):
            stack.push_async_callback(client.aclose)
        stack.push_async_callback(cache.aclose)
        tokens = Tokens(secrets, clock=clock, budget=budget)
        api = GitHubApi(settings.github_api_url, tokens=tokens, fetcher=clients.operator, cache=cache)
        yield (
            *local,
            GitHubSource(settings, fetcher=clients.operator, cache=cache, api=api),
            GitLabSource(clients.servers(settings.gitlab_urls), cache),
            GiteaSource(clients.servers(settings.gitea_urls), cache),
            *(kind(settings, fetcher=clients.operator, cache=cache) for kind in _ONE_SERVER),
            UrlSource(clients.visitor, cache),
            GistSource(settings, fetcher=clients.operator, cache=cache, api=api),
        )


def _urls(settings: Settings) -> tuple[str, ...]:
    """The servers that the fleet file names, whose addresses are not judged."""
    github = (settings.github_url, settings.github_api_url, settings.github_raw_url, settings.gist_url)
    others = (settings.bitbucket_url, settings.bitbucket_api_url, settings.huggingface_url, settings.zenodo_url)
    return (*github, *settings.gitlab_urls, *settings.gitea_urls, *others)


def _named(urls: Iterable[str]) -> tuple[str, ...]:
    """`host:port` of each URL."""
    parsed = [urlsplit(url) for url in urls]
    return tuple(f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}" for url in parsed)


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
