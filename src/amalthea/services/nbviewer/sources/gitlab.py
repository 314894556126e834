"""`/gitlab/<host>/<group>/…/<project>/-/…`: projects and groups of any GitLab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.source import Answer, Asked
from amalthea.services.nbviewer.sources.api import Api, Told, encoded, plain
from amalthea.services.nbviewer.sources.forge import Home, Line, Lines, Point, Spot, slashed
from amalthea.services.nbviewer.sources.repositories import Repositories, with_slash
from amalthea.services.nbviewer.sources.servers import Server, Servers

_PER_PAGE = 100
_KINDS: dict[str, Literal["directory", "file", "submodule"]] = {
    "tree": "directory",
    "blob": "file",
    "commit": "submodule",
}


class _Project(msgspec.Struct, frozen=True):
    path_with_namespace: str
    default_branch: str | None = None
    description: str | None = None


class _Group(msgspec.Struct, frozen=True):
    full_path: str
    description: str | None = None


class _Entry(msgspec.Struct, frozen=True):
    name: str
    type: str


class _Commit(msgspec.Struct, frozen=True):
    id: str


class _Named(msgspec.Struct, frozen=True):
    name: str
    commit: _Commit


class GitLab:
    """One GitLab as a forge."""

    label = "GitLab"
    dash = True
    knows_head = True

    def __init__(self, host: str, server: Server, cache: Cache) -> None:
        self.prefix = ("gitlab", host)
        self.fetcher = server.fetcher
        self.named = server.named
        self.launched_as = ""
        self._web = server.url
        self._api = Api(self.label, cache=cache, ask=plain(server.fetcher))

    def file_url(self, spot: Spot) -> str:
        """By the API: the web address asks a stranger to sign in where it should say 404."""
        return self._of(
            spot.repo, f"repository/files/{encoded('/'.join(spot.path))}/raw?ref={quote(spot.name, safe='')}"
        )

    def raw_url(self, spot: Spot) -> str:
        """GitLab finds the end of a ref with slashes by itself."""
        return f"{self._web}/{encoded(*spot.repo)}/-/raw/{slashed(spot.name)}/{encoded(*spot.path)}"

    def web_url(self, spot: Spot, *, file: bool) -> str:
        """A page of GitLab's."""
        rest = "/".join((slashed(spot.name), *(quote(part, safe="") for part in spot.path)))
        return f"{self._web}/{encoded(*spot.repo)}/-/{'blob' if file else 'tree'}/{rest}"

    def owner_url(self, owner: tuple[str, ...]) -> str:
        """The page of a group or a user."""
        return f"{self._web}/{encoded(*owner)}"

    async def home(self, repo: tuple[str, ...], *, flush: bool) -> Home:
        """GitLab redirects from the names that a project had."""
        found, _ = await self._api.get(self._of(repo), kind=_Project, flush=flush)
        return Home(repo=tuple(found.path_with_namespace.split("/")), branch=found.default_branch or "HEAD")

    async def lines(self, spot: Spot, *, page: int, flush: bool) -> Lines | None:
        """A page of a directory; an empty one is none, which git does not have below the top."""
        query = {"path": "/".join(spot.path), "ref": spot.name, "per_page": _PER_PAGE, "page": page}
        told = await self._api.get(
            self._of(spot.repo, f"repository/tree?{urlencode(query)}"), kind=list[_Entry], flush=flush
        )
        if not told.value and spot.path and page == 1:
            raise Missing("GitLab has no such directory.", where=self.web_url(spot, file=False))
        return Lines(
            lines=tuple(Line(kind=_KINDS.get(entry.type, "file"), name=entry.name) for entry in told.value),
            held=told.held,
            more=told.goes_on,
        )

    async def menu(self, repo: tuple[str, ...], *, flush: bool) -> Sequence[Point]:
        """The first page of each."""
        return await self._points(repo, "", flush=flush)

    async def beginning(self, repo: tuple[str, ...], start: str, *, flush: bool) -> Sequence[Point]:
        """GitLab searches for the beginning of a name when it is asked with a `^`."""
        return await self._points(repo, f"^{start}", flush=flush)

    async def _points(self, repo: tuple[str, ...], search: str, *, flush: bool) -> Sequence[Point]:
        query = urlencode({"per_page": _PER_PAGE, **({"search": search} if search else {})})
        branches = await self._api.get(self._of(repo, f"repository/branches?{query}"), kind=list[_Named], flush=flush)
        tags = await self._api.get(self._of(repo, f"repository/tags?{query}"), kind=list[_Named], flush=flush)
        return [
            *(Point(kind="branch", name=found.name, commit=found.commit.id) for found in branches.value),
            *(Point(kind="tag", name=found.name, commit=found.commit.id) for found in tags.value),
        ]

    async def owned(self, owner: tuple[str, ...], *, page: int, flush: bool) -> Lines:
        """The groups below a group and its projects; the projects of a user where there is no such group."""
        paging = urlencode({"order_by": "last_activity_at", "per_page": _PER_PAGE, "page": page})
        group = f"{self._web}/api/v4/groups/{encoded('/'.join(owner))}"
        try:
            projects = await self._api.get(f"{group}/projects?{paging}", kind=list[_Project], flush=flush)
        except Missing:
            if len(owner) > 1:
                raise
            return _projects(
                await self._api.get(
                    f"{self._web}/api/v4/users/{encoded(*owner)}/projects?{paging}", kind=list[_Project], flush=flush
                )
            )
        if page > 1:
            return _projects(projects)
        below = await self._api.get(f"{group}/subgroups?per_page={_PER_PAGE}", kind=list[_Group], flush=flush)
        groups = tuple(_line("directory", found.full_path, found.description) for found in below.value)
        found = _projects(projects)
        return msgspec.structs.replace(found, lines=(*groups, *found.lines))

    def _of(self, repo: tuple[str, ...], rest: str = "") -> str:
        url = f"{self._web}/api/v4/projects/{encoded('/'.join(repo))}"
        return f"{url}/{rest}" if rest else url


class GitLabSource:
    """Every GitLab that can be reached."""

    paths = ("/gitlab/{rest:path}",)

    def __init__(self, servers: Servers, cache: Cache) -> None:
        self._servers = servers
        self._cache = cache

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, a listing or a redirect."""
        match asked.parts:
            case ("gitlab", host, *names) if names and all(names):
                forge = GitLab(host, self._servers.at(host), self._cache)
                return await self._of(asked, Repositories(forge, self._cache), names)
        raise Missing("GitLab paths are /gitlab/host/group/project/-/blob/ref/path.", where=asked.raw)

    async def _of(self, asked: Asked, repositories: Repositories, names: Sequence[str]) -> Answer:
        if "-" in names:
            end = names.index("-")
            return await repositories.inside(asked, tuple(names[:end]), names[end + 1 :])
        if not asked.slash:
            return with_slash(asked)
        if len(names) > 1:
            try:
                return await repositories.default_branch(asked, tuple(names))
            except Missing:
                pass  # then it is a group
        return await repositories.owner(asked, tuple(names))


def _line(kind: Literal["directory", "repository"], path: str, description: str | None) -> Line:
    names = tuple(path.split("/"))
    return Line(kind=kind, name=names[-1], note=description or "", to=names)


def _projects(told: Told[list[_Project]]) -> Lines:
    return Lines(
        lines=tuple(_line("repository", found.path_with_namespace, found.description) for found in told.value),
        held=told.held,
        more=told.goes_on,
    )
