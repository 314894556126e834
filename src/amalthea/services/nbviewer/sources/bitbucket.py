"""`/bitbucket/<workspace>/<repo>/…`: repositories of Bitbucket.

Its API takes a commit where a branch has a slash in its name, so a branch is asked for its commit first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from amalthea.services.nbviewer.errors import Malformed, Missing
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.fetching.fetcher import Fetcher
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Answer, Asked
from amalthea.services.nbviewer.sources.api import Api, encoded, plain
from amalthea.services.nbviewer.sources.forge import Home, Line, Lines, Point, Spot
from amalthea.services.nbviewer.sources.repositories import Repositories

T = TypeVar("T")
_PER_PAGE = 100
_REPOSITORIES_PER_PAGE = 50


class _Page(msgspec.Struct, Generic[T], frozen=True):
    values: list[T]
    next: str = ""


class _Branch(msgspec.Struct, frozen=True):
    name: str


class _Repository(msgspec.Struct, frozen=True):
    full_name: str
    name: str = ""
    mainbranch: _Branch | None = None
    description: str = ""


class _Entry(msgspec.Struct, frozen=True):
    path: str
    type: str


class _Commit(msgspec.Struct, frozen=True):
    hash: str


class _Named(msgspec.Struct, frozen=True):
    name: str
    target: _Commit


class Bitbucket:
    """Bitbucket as a forge."""

    label = "Bitbucket"
    prefix = ("bitbucket",)
    dash = False
    knows_head = False
    named = True
    launched_as = ""

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache) -> None:
        self._web = settings.bitbucket_url.rstrip("/")
        self._url = settings.bitbucket_api_url.rstrip("/")
        self.fetcher = fetcher
        self._api = Api(self.label, cache=cache, ask=plain(fetcher))

    def file_url(self, spot: Spot) -> str:
        """On the web host, which counts no API requests."""
        return self.raw_url(spot)

    def raw_url(self, spot: Spot) -> str:
        """At the commit where the ref is known."""
        return f"{self._web}/{encoded(*spot.repo, 'raw', _commit(spot), *spot.path)}"

    def web_url(self, spot: Spot, *, file: bool) -> str:
        """A page of Bitbucket's."""
        return f"{self._web}/{encoded(*spot.repo, 'src', _commit(spot), *spot.path)}"

    def owner_url(self, owner: tuple[str, ...]) -> str:
        """The page of a workspace."""
        return f"{self._web}/{encoded(*owner)}/"

    async def home(self, repo: tuple[str, ...], *, flush: bool) -> Home:
        """Bitbucket redirects from the names that a repository had."""
        found, _ = await self._api.get(self._of(repo), kind=_Repository, flush=flush)
        branch = found.mainbranch.name if found.mainbranch else "main"
        return Home(repo=tuple(found.full_name.split("/")), branch=branch)

    async def lines(self, spot: Spot, *, page: int, flush: bool) -> Lines | None:
        """The first hundred: the pages behind have names that nobody can know before."""
        path = "".join(f"{part}/" for part in ("src", encoded(_commit(spot)), *map(encoded, spot.path)))
        url = self._of(spot.repo, f"{path}?{urlencode({'pagelen': _PER_PAGE})}")
        try:
            told = await self._api.get(url, kind=_Page[_Entry], flush=flush)
        except Malformed:
            return None  # where a path is a file's, the answer is the file itself
        return Lines(
            lines=tuple(
                Line(
                    kind="directory" if entry.type == "commit_directory" else "file",
                    name=entry.path.rstrip("/").rpartition("/")[2],
                )
                for entry in told.value.values
            ),
            held=told.held,
            note=f"The first {_PER_PAGE} entries; Bitbucket shows the rest." if told.value.next else "",
        )

    async def menu(self, repo: tuple[str, ...], *, flush: bool) -> Sequence[Point]:
        """The first page of each."""
        return await self._points(repo, "", flush=flush)

    async def beginning(self, repo: tuple[str, ...], start: str, *, flush: bool) -> Sequence[Point]:
        """Bitbucket finds names that hold `start` anywhere, so the rest is sorted out here."""
        quoted = start.replace("\\", "\\\\").replace('"', '\\"')
        points = await self._points(repo, f'name ~ "{quoted}"', flush=flush)
        return [point for point in points if point.name.startswith(start)]

    async def _points(self, repo: tuple[str, ...], query: str, *, flush: bool) -> Sequence[Point]:
        asked = urlencode({"pagelen": _PER_PAGE, **({"q": query} if query else {})}, quote_via=quote)
        branches = await self._api.get(self._of(repo, f"refs/branches?{asked}"), kind=_Page[_Named], flush=flush)
        tags = await self._api.get(self._of(repo, f"refs/tags?{asked}"), kind=_Page[_Named], flush=flush)
        return [
            *(Point(kind="branch", name=found.name, commit=found.target.hash) for found in branches.value.values),
            *(Point(kind="tag", name=found.name, commit=found.target.hash) for found in tags.value.values),
        ]

    async def owned(self, owner: tuple[str, ...], *, page: int, flush: bool) -> Lines:
        """The repositories of a workspace, the one changed last first."""
        paging = urlencode({"sort": "-updated_on", "pagelen": _REPOSITORIES_PER_PAGE, "page": page})
        told = await self._api.get(
            f"{self._url}/repositories/{encoded(*owner)}?{paging}", kind=_Page[_Repository], flush=flush
        )
        names = [(tuple(found.full_name.split("/")), found) for found in told.value.values]
        return Lines(
            lines=tuple(
                Line(kind="repository", name=name[-1], note=found.description, to=name) for name, found in names
            ),
            held=told.held,
            more=bool(told.value.next),
        )

    def _of(self, repo: tuple[str, ...], rest: str = "") -> str:
        url = f"{self._url}/repositories/{encoded(*repo)}"
        return f"{url}/{rest}" if rest else url


class BitbucketSource:
    """`/bitbucket/…`."""

    paths = ("/bitbucket/{rest:path}",)

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache) -> None:
        self._repositories = Repositories(Bitbucket(settings, fetcher=fetcher, cache=cache), cache)

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, a listing or a redirect."""
        match asked.parts:
            case ("bitbucket", workspace) if workspace:
                return await self._repositories.owner(asked, (workspace,))
            case ("bitbucket", workspace, repo, *rest) if workspace and repo:
                return await self._repositories.inside(asked, (workspace, repo), rest)
        raise Missing("Bitbucket paths are /bitbucket/workspace/repo/blob/ref/path.", where=asked.raw)


def _commit(spot: Spot) -> str:
    return spot.point.commit if spot.point else spot.ref
