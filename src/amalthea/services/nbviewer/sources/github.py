"""`/github/…`: repositories, directories and notebooks of GitHub, or of a GitHub Enterprise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import msgspec

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.fetching.fetcher import Fetcher
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Answer, Asked, Moved, join
from amalthea.services.nbviewer.sources.api import GitHubApi, converted, encoded
from amalthea.services.nbviewer.sources.forge import FULL_REFS, Home, Line, Lines, Point, Spot, slashed
from amalthea.services.nbviewer.sources.repositories import Repositories

RAW_HOSTS = ("raw.github.com", "rawgithub.com", "raw.githubusercontent.com", "rawgithubusercontent.com")
_PER_PAGE = 100
_MOST_ENTRIES = 1000
_KINDS: dict[str, Literal["directory", "submodule"]] = {"dir": "directory", "submodule": "submodule"}


class _Repository(msgspec.Struct, frozen=True):
    name: str
    full_name: str = ""
    default_branch: str = "HEAD"
    description: str | None = None


class _Named(msgspec.Struct, frozen=True):
    name: str


class _MatchingRef(msgspec.Struct, frozen=True):
    ref: str


class _Entry(msgspec.Struct, frozen=True):
    name: str
    type: str
    html_url: str | None = None


class GitHub:
    """One GitHub as a forge."""

    label = "GitHub"
    prefix = ("github",)
    dash = False
    knows_head = True
    named = True

    def __init__(self, settings: Settings, *, fetcher: Fetcher, api: GitHubApi) -> None:
        self._web = settings.github_url.rstrip("/")
        self._raw = settings.github_raw_url.rstrip("/")
        self._api = api
        self.fetcher = fetcher
        self.launched_as = "github" if self._web == "https://github.com" else ""

    def file_url(self, spot: Spot) -> str:
        """On the raw host, which counts no API requests."""
        return self.raw_url(spot)

    def raw_url(self, spot: Spot) -> str:
        """A branch with a slash is certain to be found by its full name alone."""
        ref = slashed(spot.point.full if spot.point else spot.ref)
        return f"{self._raw}/{encoded(*spot.repo)}/{ref}/{encoded(*spot.path)}"

    def web_url(self, spot: Spot, *, file: bool) -> str:
        """A page of GitHub's."""
        return f"{self._web}{join(*spot.repo, 'blob' if file else 'tree', spot.ref, *spot.path)}"

    def owner_url(self, owner: tuple[str, ...]) -> str:
        """The page of a user or an organisation."""
        return f"{self._web}/{encoded(*owner)}"

    async def home(self, repo: tuple[str, ...], *, flush: bool) -> Home:
        """GitHub redirects from the names that a repository had."""
        found, _ = await self._api.get("repos", *repo, kind=_Repository, flush=flush)
        return Home(repo=tuple(found.full_name.split("/")) if found.full_name else repo, branch=found.default_branch)

    async def lines(self, spot: Spot, *, page: int, flush: bool) -> Lines | None:
        """All at once, up to a thousand."""
        query = f"?ref={quote(spot.name, safe='')}"
        told = await self._api.get("repos", *spot.repo, "contents", *spot.path, kind=object, flush=flush, query=query)
        if not isinstance(told.value, list):
            return None
        entries = converted(told.value, _Entry, self.label)
        note = f"GitHub lists the first {_MOST_ENTRIES} entries only." if len(entries) >= _MOST_ENTRIES else ""
        return Lines(
            lines=tuple(Line(kind=_KINDS.get(entry.type, "file"), name=entry.name) for entry in entries),
            held=told.held,
            note=note,
            repo=self._repo(entries),
        )

    def _repo(self, entries: Sequence[_Entry]) -> tuple[str, ...]:
        """The name that the repository has now, which the addresses in its listing tell; none for an empty one."""
        urls = [entry.html_url for entry in entries if entry.html_url and entry.html_url.startswith(f"{self._web}/")]
        names = urls[0].removeprefix(f"{self._web}/").split("/")[:2] if urls else []
        return tuple(unquote(name) for name in names)

    async def menu(self, repo: tuple[str, ...], *, flush: bool) -> Sequence[Point]:
        """The first page of each."""
        branches, _ = await self._api.get("repos", *repo, "branches", kind=list[_Named], flush=flush)
        tags, _ = await self._api.get("repos", *repo, "tags", kind=list[_Named], flush=flush)
        return [
            *(Point(kind="branch", name=found.name) for found in branches),
            *(Point(kind="tag", name=found.name) for found in tags),
        ]

    async def beginning(self, repo: tuple[str, ...], start: str, *, flush: bool) -> Sequence[Point]:
        """Tags are asked for only where no branch could be meant."""
        for kind, name in FULL_REFS.items():
            found, _ = await self._api.get(
                "repos", *repo, "git", "matching-refs", kind, start, kind=list[_MatchingRef], flush=flush
            )
            points = [Point(kind=name, name=match.ref.removeprefix(f"refs/{kind}/")) for match in found]
            if points:
                return points
        return []

    async def owned(self, owner: tuple[str, ...], *, page: int, flush: bool) -> Lines:
        """Repositories, the one changed last first."""
        query = f"?sort=updated&per_page={_PER_PAGE}&page={page}"
        told = await self._api.get("users", *owner, "repos", kind=list[_Repository], flush=flush, query=query)
        return Lines(
            lines=tuple(
                Line(kind="repository", name=found.name, note=found.description or "", to=(*owner, found.name))
                for found in told.value
            ),
            held=told.held,
            more=told.goes_on,
        )


class GitHubSource:
    """`/github/…` and the old addresses that lead there."""

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache, api: GitHubApi) -> None:
        self._repositories = Repositories(GitHub(settings, fetcher=fetcher, api=api), cache)
        self._hosts = frozenset({"github.com", urlsplit(settings.github_url).netloc})
        others = (*self._hosts, *RAW_HOSTS)
        self.paths = (
            "/github/{rest:path}",
            *(f"/{scheme}/{host}/{{rest:path}}" for scheme in ("url", "urls") for host in others),
        )

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, a listing or a redirect."""
        match asked.parts:
            case ("url" | "urls", host, *_):
                return self._from_url(asked, host)
            case ("github", user) if user:
                return await self._repositories.owner(asked, (user,))
            case ("github", user, repo, *rest) if user and repo:
                return await self._repositories.inside(asked, (user, repo), rest)
        raise Missing("GitHub paths are /github/user/repo/blob/ref/path and /tree/ref/path/.", where=asked.raw)

    def _from_url(self, asked: Asked, host: str) -> Moved:
        """Old links: `/url/github.com/…` and the raw hosts."""
        _, _, rest = asked.raw.lstrip("/").partition("/")[2].partition("/")
        if host in self._hosts:
            return Moved(f"/github/{rest}{asked.query}")
        parts = rest.split("/", 2)
        if len(parts) < 3:
            raise Missing("A raw GitHub address has a user, a repository, a ref and a path.", where=asked.raw)
        path = parts[2]
        for kind in FULL_REFS:
            path = path.removeprefix(f"refs/{kind}/")
        return Moved(f"/github/{parts[0]}/{parts[1]}/blob/{path}{asked.query}")
