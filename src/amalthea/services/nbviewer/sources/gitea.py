"""`/gitea/<host>/<user>/<repo>/…`: repositories of Codeberg and of any other Gitea or Forgejo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.source import Answer, Asked
from amalthea.services.nbviewer.sources.api import Api, converted, encoded, plain
from amalthea.services.nbviewer.sources.forge import FULL_REFS, Home, Line, Lines, Point, Spot, slashed
from amalthea.services.nbviewer.sources.repositories import Repositories
from amalthea.services.nbviewer.sources.servers import Server, Servers

_PER_PAGE = 50
_KINDS: dict[str, Literal["directory", "submodule"]] = {"dir": "directory", "submodule": "submodule"}


class _Repository(msgspec.Struct, frozen=True):
    name: str
    full_name: str
    default_branch: str = ""
    description: str = ""


class _Entry(msgspec.Struct, frozen=True):
    name: str
    type: str


class _Object(msgspec.Struct, frozen=True):
    sha: str


class _MatchingRef(msgspec.Struct, frozen=True):
    ref: str
    object: _Object


class _Named(msgspec.Struct, frozen=True):
    name: str


class Gitea:
    """One Gitea or Forgejo as a forge."""

    label = "Gitea"
    dash = False
    knows_head = False
    launched_as = ""

    def __init__(self, host: str, server: Server, cache: Cache) -> None:
        self.prefix = ("gitea", host)
        self.label = "Codeberg" if host == "codeberg.org" else host
        self.fetcher = server.fetcher
        self.named = server.named
        self._web = server.url
        self._api = Api(self.label, cache=cache, ask=plain(server.fetcher))

    def file_url(self, spot: Spot) -> str:
        """By the API, to which a ref may be anything."""
        return self._of(spot.repo, f"raw/{encoded(*spot.path)}?ref={quote(spot.name, safe='')}")

    def raw_url(self, spot: Spot) -> str:
        """Below the kind of the ref where it is known; Gitea redirects to it where it is not."""
        return f"{self._web}/{encoded(*spot.repo)}/raw/{_typed(spot)}/{encoded(*spot.path)}"

    def web_url(self, spot: Spot, *, file: bool) -> str:
        """A page of Gitea's."""
        return f"{self._web}/{encoded(*spot.repo)}/src/{_typed(spot)}/{encoded(*spot.path)}".rstrip("/")

    def owner_url(self, owner: tuple[str, ...]) -> str:
        """The page of a user or an organisation."""
        return f"{self._web}/{encoded(*owner)}"

    async def home(self, repo: tuple[str, ...], *, flush: bool) -> Home:
        """Gitea redirects from the names that a repository had."""
        found, _ = await self._api.get(self._of(repo), kind=_Repository, flush=flush)
        return Home(repo=tuple(found.full_name.split("/")), branch=found.default_branch or "main")

    async def lines(self, spot: Spot, *, page: int, flush: bool) -> Lines | None:
        """All at once."""
        path = "/".join(["contents", *([encoded(*spot.path)] if spot.path else [])])
        told = await self._api.get(
            self._of(spot.repo, f"{path}?ref={quote(spot.name, safe='')}"), kind=object, flush=flush
        )
        if not isinstance(told.value, list):
            return None
        entries = converted(told.value, _Entry, self.label)
        return Lines(
            lines=tuple(Line(kind=_KINDS.get(entry.type, "file"), name=entry.name) for entry in entries),
            held=told.held,
        )

    async def menu(self, repo: tuple[str, ...], *, flush: bool) -> Sequence[Point]:
        """The first page of each."""
        paging = f"limit={_PER_PAGE}"
        branches = await self._api.get(self._of(repo, f"branches?{paging}"), kind=list[_Named], flush=flush)
        tags = await self._api.get(self._of(repo, f"tags?{paging}"), kind=list[_Named], flush=flush)
        return [
            *(Point(kind="branch", name=found.name) for found in branches.value),
            *(Point(kind="tag", name=found.name) for found in tags.value),
        ]

    async def beginning(self, repo: tuple[str, ...], start: str, *, flush: bool) -> Sequence[Point]:
        """Gitea says 404 where nothing matches, and one object instead of a list where the match is whole."""
        points: list[Point] = []
        for kind, name in FULL_REFS.items():
            url = self._of(repo, f"git/refs/{kind}/{encoded(start)}")
            try:
                told = await self._api.get(url, kind=object, flush=flush)
            except Missing:
                continue
            matches = converted(told.value if isinstance(told.value, list) else [told.value], _MatchingRef, self.label)
            points += [
                Point(kind=name, name=match.ref.removeprefix(f"refs/{kind}/"), commit=match.object.sha)
                for match in matches
            ]
        return points

    async def owned(self, owner: tuple[str, ...], *, page: int, flush: bool) -> Lines:
        """Repositories of a user or an organisation."""
        paging = urlencode({"limit": _PER_PAGE, "page": page})
        url = f"{self._web}/api/v1/users/{encoded(*owner)}/repos?{paging}"
        told = await self._api.get(url, kind=list[_Repository], flush=flush)
        return Lines(
            lines=tuple(
                Line(kind="repository", name=found.name, note=found.description, to=tuple(found.full_name.split("/")))
                for found in told.value
            ),
            held=told.held,
            more=told.goes_on,
        )

    def _of(self, repo: tuple[str, ...], rest: str = "") -> str:
        url = f"{self._web}/api/v1/repos/{encoded(*repo)}"
        return f"{url}/{rest}" if rest else url


class GiteaSource:
    """Every Gitea and Forgejo that can be reached."""

    paths = ("/gitea/{rest:path}",)

    def __init__(self, servers: Servers, cache: Cache) -> None:
        self._servers = servers
        self._cache = cache

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, a listing or a redirect."""
        match asked.parts:
            case ("gitea", host, user, *rest) if user:
                repositories = Repositories(Gitea(host, self._servers.at(host), self._cache), self._cache)
                if not rest:
                    return await repositories.owner(asked, (user,))
                return await repositories.inside(asked, (user, rest[0]), rest[1:])
        raise Missing("Gitea paths are /gitea/host/user/repo/blob/ref/path.", where=asked.raw)


def _typed(spot: Spot) -> str:
    """The ref as web addresses have it."""
    return f"{spot.point.kind}/{slashed(spot.point.name)}" if spot.point else slashed(spot.ref)
