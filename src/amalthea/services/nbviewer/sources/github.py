"""`/github/…`: repositories, directories and notebooks of GitHub, or of a GitHub Enterprise.

Files come from the raw host, which counts no API requests; listings from the API. In a path `ref/a/b` the
ref is the first part unless that finds nothing: then the longest branch or tag that the path begins with.
A slash inside a ref may also come encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from amalthea.services.nbviewer.cache import Cache, Held
from amalthea.services.nbviewer.errors import Missing, SourceError, Unavailable
from amalthea.services.nbviewer.fetching import Fetched, Fetcher
from amalthea.services.nbviewer.index import Copy
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import (
    Answer,
    Asked,
    Chrome,
    Crumb,
    Document,
    Entry,
    Listing,
    Moved,
    Origin,
    Ref,
    in_order,
    is_notebook,
    join,
)
from amalthea.services.nbviewer.sources.api import GitHubApi, MatchingRef, Named, Repository, listing_or_file

RAW_HOSTS = ("raw.github.com", "rawgithub.com", "raw.githubusercontent.com", "rawgithubusercontent.com")
_PER_PAGE = 100
_MOST_ENTRIES = 1000


class Spot(msgspec.Struct, frozen=True):
    """A place in a repository. `full_ref` is set when the ref is known to be a branch or a tag."""

    user: str
    repo: str
    ref: str
    path: tuple[str, ...]
    full_ref: str = ""

    def at(self, view: str, *path: str) -> str:
        """A path of this server: `view` is blob or tree."""
        slash = ("",) if view == "tree" else ()
        return join("github", self.user, self.repo, view, self.ref, *path, *slash)

    @property
    def crumbs(self) -> tuple[Crumb, ...]:
        """The way from the user to here."""
        steps = [
            Crumb(self.user, join("github", self.user, "")),
            Crumb(self.repo, join("github", self.user, self.repo, "tree", self.ref, "")),
        ]
        steps += [Crumb(part, self.at("tree", *self.path[: depth + 1])) for depth, part in enumerate(self.path[:-1])]
        return (*steps, Crumb(self.path[-1])) if self.path else tuple(steps)


class GitHubSource:
    """Repositories of one GitHub."""

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache, api: GitHubApi) -> None:
        self._web = settings.github_url.rstrip("/")
        self._raw = settings.github_raw_url.rstrip("/")
        self._binder = settings.binder_url.rstrip("/")
        self._fetcher = fetcher
        self._cache = cache
        self._api = api
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
                return await self._repositories(asked, user) if asked.slash else _with_slash(asked)
            case ("github", user, repo):
                return await self._default_branch(asked, user, repo) if asked.slash else _with_slash(asked)
            case ("github", user, repo, "tree", *rest) if rest:
                return await self._tree(asked, _spot(user, repo, rest)) if asked.slash else _with_slash(asked)
            case ("github", user, repo, "blob" | "raw", *rest) if len(rest) > 1:
                return await self._blob(asked, _spot(user, repo, rest))
        raise Missing("GitHub paths are /github/user/repo/blob/ref/path and /tree/ref/path/.", where=asked.raw)

    def _from_url(self, asked: Asked, host: str) -> Moved:
        """Old links: `/url/github.com/…` and the raw hosts."""
        _, _, rest = asked.raw.lstrip("/").partition("/")[2].partition("/")
        if host in self._hosts:
            return Moved(f"/github/{rest}{asked.query}")
        parts = rest.split("/", 2)
        if len(parts) < 3:
            raise Missing("A raw GitHub address has a user, a repository, a ref and a path.", where=asked.raw)
        return Moved(f"/github/{parts[0]}/{parts[1]}/blob/{_short(parts[2])}{asked.query}")

    async def _repositories(self, asked: Asked, user: str) -> Listing:
        query = f"?sort=updated&per_page={_PER_PAGE}&page={asked.page}"
        found, held = await self._api.get("users", user, "repos", kind=list[Repository], flush=asked.flush, query=query)
        entries = tuple(
            Entry(kind="repository", name=r.name, href=join("github", user, r.name, ""), note=r.description or "")
            for r in found
        )
        return Listing(
            chrome=_chrome(user, held, crumbs=(Crumb(user),), url=f"{self._web}/{quote(user, safe='')}"),
            entries=entries,
            previous=f"?page={asked.page - 1}" if asked.page > 1 else "",
            next=f"?page={asked.page + 1}" if len(found) == _PER_PAGE else "",
        )

    async def _default_branch(self, asked: Asked, user: str, repo: str) -> Moved:
        try:
            found, _ = await self._api.get("repos", user, repo, kind=Repository, flush=asked.flush)
            branch = found.default_branch
        except Unavailable:
            branch = "HEAD"
        return Moved(join("github", user, repo, "tree", branch, "") + asked.query)

    async def _blob(self, asked: Asked, spot: Spot) -> Answer:
        if asked.slash:
            return Moved(asked.raw.rstrip("/") + asked.query)
        if not is_notebook(spot.path[-1]):
            return await self._other_file(spot)
        try:
            return await self._notebook(asked, spot)
        except Missing as missing:
            longer = await self._longer_ref(spot, missing)
            if not longer.path:
                raise
            return await self._notebook(asked, longer)

    async def _other_file(self, spot: Spot) -> Moved:
        """A file that is no notebook is shown by GitHub; what is no file may be a directory."""
        url = self._raw_url(spot)
        return Moved(url if await self._fetcher.exists(url) else spot.at("tree", *spot.path))

    async def _notebook(self, asked: Asked, spot: Spot) -> Document:
        url = self._raw_url(spot)

        async def ask(copy: Copy | None) -> Fetched:
            return await self._fetcher.get(url, etag=copy.etag if copy else "")

        held = await self._cache.get(url, ask, flush=asked.flush)
        page = f"{self._web}{join(spot.user, spot.repo, 'blob', spot.ref, *spot.path)}"
        return Document(
            chrome=_chrome(spot.path[-1], held, crumbs=spot.crumbs, url=page, binder=self._binder_link(spot)),
            digest=held.copy.digest,
            read=lambda: self._cache.body(held, ask),
            raw_base=url.rpartition("/")[0] + "/",
            link_base=spot.at("blob", *spot.path[:-1]) + "/",
        )

    def _binder_link(self, spot: Spot) -> str:
        if not self._binder or self._web != "https://github.com":
            return ""
        ref, path = quote(spot.ref, safe=""), quote("/".join(spot.path), safe="")
        return f"{self._binder}/gh/{quote(spot.user)}/{quote(spot.repo)}/{ref}?filepath={path}"

    def _raw_url(self, spot: Spot) -> str:
        ref = quote(spot.full_ref or spot.ref, safe="/")
        path = "/".join(quote(part, safe="") for part in spot.path)
        return f"{self._raw}/{quote(spot.user, safe='')}/{quote(spot.repo, safe='')}/{ref}/{path}"

    async def _tree(self, asked: Asked, spot: Spot) -> Answer:
        try:
            value, held = await self._contents(asked, spot)
        except Missing as missing:
            spot = await self._longer_ref(spot, missing)
            value, held = await self._contents(asked, spot)
        lines = listing_or_file(value)
        if lines is None:
            return Moved(spot.at("blob", *spot.path) if is_notebook(spot.path[-1]) else self._raw_url(spot))
        page = f"{self._web}{join(spot.user, spot.repo, 'tree', spot.ref, *spot.path)}"
        entries = in_order([self._entry(spot, line.name, line.type) for line in lines])
        return Listing(
            chrome=_chrome(spot.path[-1] if spot.path else spot.repo, held, crumbs=spot.crumbs, url=page),
            entries=entries,
            refs=await self._refs(spot),
            ref=spot.ref,
            note=f"GitHub lists the first {_MOST_ENTRIES} entries only." if len(lines) >= _MOST_ENTRIES else "",
        )

    async def _contents(self, asked: Asked, spot: Spot) -> tuple[Any, Held]:
        query = f"?ref={quote(spot.ref, safe='')}"
        return await self._api.get(
            "repos", spot.user, spot.repo, "contents", *spot.path, kind=object, flush=asked.flush, query=query
        )

    def _entry(self, spot: Spot, name: str, kind: str) -> Entry:
        path = (*spot.path, name)
        if kind == "dir":
            return Entry(kind="directory", name=name, href=spot.at("tree", *path))
        if kind == "submodule":
            return Entry(kind="submodule", name=name)
        if is_notebook(name):
            return Entry(kind="notebook", name=name, href=spot.at("blob", *path))
        return Entry(kind="file", name=name, href=f"{self._web}{join(spot.user, spot.repo, 'blob', spot.ref, *path)}")

    async def _refs(self, spot: Spot) -> tuple[Ref, ...]:
        """The menu of branches and tags; a page without it is better than none."""
        try:
            branches, _ = await self._api.get("repos", spot.user, spot.repo, "branches", kind=list[Named])
            tags, _ = await self._api.get("repos", spot.user, spot.repo, "tags", kind=list[Named])
        except SourceError:
            return ()
        here = [(ref.name, msgspec.structs.replace(spot, ref=ref.name).at("tree", *spot.path)) for ref in branches]
        there = [(ref.name, msgspec.structs.replace(spot, ref=ref.name).at("tree", *spot.path)) for ref in tags]
        return (
            *(Ref(kind="branch", name=name, href=href) for name, href in here),
            *(Ref(kind="tag", name=name, href=href) for name, href in there),
        )

    async def _longer_ref(self, spot: Spot, missing: Missing) -> Spot:
        """The same path with the longest branch or tag that it begins with. Raises `missing` without one."""
        whole = (*spot.ref.split("/"), *spot.path)
        for kind in ("heads", "tags"):
            found, _ = await self._api.get(
                "repos", spot.user, spot.repo, "git", "matching-refs", kind, whole[0], kind=list[MatchingRef]
            )
            names = {ref.ref.removeprefix(f"refs/{kind}/") for ref in found}
            for length in range(len(whole), 1, -1):
                ref = "/".join(whole[:length])
                if ref in names:
                    return Spot(spot.user, spot.repo, ref, whole[length:], f"refs/{kind}/{ref}")
            if whole[0] in names:
                break  # git has no `a/b` beside `a`
        raise missing


def _spot(user: str, repo: str, rest: Sequence[str]) -> Spot:
    """A place from what stands behind `blob` or `tree`; `refs/heads/` before a name is left out."""
    if len(rest) > 2 and rest[0] == "refs" and rest[1] in ("heads", "tags"):
        rest = rest[2:]
    if any(not part for part in (user, repo, *rest)):
        raise Missing("A part of this path is empty.", where=join(user, repo, *rest))
    return Spot(user, repo, rest[0], tuple(rest[1:]))


def _short(path: str) -> str:
    for prefix in ("refs/heads/", "refs/tags/"):
        path = path.removeprefix(prefix)
    return path


def _with_slash(asked: Asked) -> Moved:
    return Moved(f"{asked.raw}/{asked.query}")


def _chrome(name: str, held: Held, *, crumbs: tuple[Crumb, ...], url: str, binder: str = "") -> Chrome:
    return Chrome(
        name=name,
        crumbs=crumbs,
        origin=Origin(label="GitHub", url=url),
        binder=binder,
        fetched=held.copy.fetched,
        checked=held.copy.checked,
        stale=held.stale,
    )
