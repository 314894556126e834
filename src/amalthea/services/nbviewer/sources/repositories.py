"""Pages of a forge's repositories: notebooks, directories, owners, and the ways between them.

Files come from the raw host, which counts no API requests; listings from the API. In a path `ref/a/b` the
ref is the first part unless that finds nothing: then the longest branch or tag that the path begins with,
and then the name that the repository has by now. A slash inside a ref may also come encoded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from amalthea.services.nbviewer.content.raw_files import media_type
from amalthea.services.nbviewer.errors import Denied, Missing, SourceError, Unavailable
from amalthea.services.nbviewer.fetching.cache import Ask, Cache, Held
from amalthea.services.nbviewer.fetching.fetcher import Fetched
from amalthea.services.nbviewer.fetching.index import Copy
from amalthea.services.nbviewer.memory import Memory
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
    Place,
    Raw,
    Ref,
    in_order,
    is_notebook,
    join,
)
from amalthea.services.nbviewer.sources.forge import FULL_REFS, Forge, Home, Line, Lines, Point, Spot

Repo = tuple[str, ...]
_LONGER_REFS = 10_000
_DEEPEST_REF = 8
_MOST_LINES = 5000
_MOST_REFS = 500


class Repositories:
    """The pages of one forge."""

    def __init__(self, forge: Forge, cache: Cache) -> None:
        self._forge = forge
        self._cache = cache
        self._longer: Memory[Point] = Memory(_LONGER_REFS, lambda point: 1)

    async def inside(self, asked: Asked, repo: Repo, rest: Sequence[str]) -> Answer:
        """What stands behind a repository's name. Raises `SourceError`."""
        match rest:
            case ["tree", _, *_]:
                spot = _spot(asked, repo, rest[1:])
                return await self._found(asked, spot, self._tree) if asked.slash else with_slash(asked)
            case ["blob" | "raw", _, _, *_]:
                spot = _spot(asked, repo, rest[1:])
                if asked.slash:
                    return Moved(asked.raw.rstrip("/") + asked.query)
                return await self._found(asked, spot, self._blob)
            case []:
                return await self.default_branch(asked, repo) if asked.slash else with_slash(asked)
        where = "/".join((*self._forge.prefix, "…", *(["-"] if self._forge.dash else [])))
        raise Missing(f"Paths are /{where}/blob/ref/path and /tree/ref/path/.", where=asked.raw)

    async def owner(self, asked: Asked, owner: Repo) -> Answer:
        """What an owner has, a page at a time."""
        if not asked.slash:
            return with_slash(asked)
        found = _first_of(await self._forge.owned(owner, page=asked.page, flush=asked.flush))
        crumbs = tuple(
            Crumb(name, self._path(owner[: depth + 1], "") if depth + 1 < len(owner) else "")
            for depth, name in enumerate(owner)
        )
        return self._listing(
            asked,
            found,
            chrome=self._chrome(owner[-1], found.held, crumbs=crumbs, url=self._forge.owner_url(owner)),
            entries=tuple(self._owned(line) for line in found.lines),
        )

    async def default_branch(self, asked: Asked, repo: Repo) -> Moved:
        """The top of a repository, under the name that it has now."""
        try:
            home = await self._forge.home(repo, flush=asked.flush)
        except Unavailable:
            home = Home(repo=repo, branch="HEAD")
        return Moved(self._at(Spot(repo=home.repo, ref=home.branch), "tree") + asked.query)

    async def _found(self, asked: Asked, spot: Spot, page: Callable[[Asked, Spot], Awaitable[Answer]]) -> Answer:
        """The page of a spot, or of what its path means when it does not mean the first part as the ref."""
        spot = await self._with_head(asked, spot)
        try:
            return await page(asked, self._known(spot) or spot)
        except Missing as missing:
            longer = await self._longer_ref(asked, spot)
            if longer is None:
                return await self._renamed(asked, spot, missing)
            return await page(asked, longer)

    def _known(self, spot: Spot) -> Spot | None:
        """The spot that a path turned out to mean before, so that it is not looked for in vain again."""
        whole = (*spot.ref.split("/"), *spot.path)
        for length in range(min(len(whole), _DEEPEST_REF), 1, -1):
            point = self._longer.get("/".join((*spot.repo, "", *whole[:length])))
            if point is not None:
                return Spot(repo=spot.repo, ref=point.name, path=whole[length:], point=point)
        return None

    async def _with_head(self, asked: Asked, spot: Spot) -> Spot:
        """`HEAD` made the default branch for a forge that does not know the word."""
        if spot.ref != "HEAD" or self._forge.knows_head:
            return spot
        home = await self._forge.home(spot.repo, flush=asked.flush)
        points = await self._forge.beginning(spot.repo, home.branch, flush=asked.flush)
        known = [point for point in points if point.name == home.branch and point.kind == "branch"]
        return msgspec.structs.replace(spot, point=known[0]) if known else spot

    async def _longer_ref(self, asked: Asked, spot: Spot) -> Spot | None:
        """The same path with the longest branch or tag that it begins with, where that is another spot."""
        whole = (*spot.ref.split("/"), *spot.path)
        found = await self._forge.beginning(spot.repo, whole[0], flush=asked.flush)
        points = {point.name: point for point in reversed(found)}  # a branch before a tag of the same name
        for length in range(len(whole), 0, -1):
            point = points.get("/".join(whole[:length]))
            if point is not None:
                if length == 1:
                    return None
                if not point.commit:  # a commit would keep the page as it is now
                    self._longer.put("/".join((*spot.repo, "", point.name)), point)
                return Spot(repo=spot.repo, ref=point.name, path=whole[length:], point=point)
        return None

    async def _renamed(self, asked: Asked, spot: Spot, missing: Missing) -> Moved:
        """The same path of a repository that has another name now. Raises `missing` where it has not."""
        home = await self._forge.home(spot.repo, flush=asked.flush)
        if home.repo == spot.repo:
            raise missing
        view = "tree" if asked.slash else "blob"
        return Moved(self._at(msgspec.structs.replace(spot, repo=home.repo), view) + asked.query)

    async def _blob(self, asked: Asked, spot: Spot) -> Answer:
        if not spot.path:
            return Moved(self._at(spot, "tree"))
        if not is_notebook(spot.path[-1]):
            return await self._other_file(asked, spot)
        url = self._forge.file_url(spot)
        ask = self._asking(url)
        held = await self._cache.get(url, ask, flush=asked.flush)
        page = self._forge.web_url(spot, file=True)
        return Document(
            chrome=self._chrome(spot.path[-1], held, crumbs=self._crumbs(spot), url=page, place=self._place(spot)),
            digest=held.copy.digest,
            read=lambda: self._cache.body(held, ask),
            raw_base=self._forge.raw_url(spot).rpartition("/")[0] + "/",
            link_base=self._at(msgspec.structs.replace(spot, path=spot.path[:-1]), "blob").rstrip("/") + "/",
        )

    async def _other_file(self, asked: Asked, spot: Spot) -> Moved | Raw:
        """A picture or text is shown here, any other file by its source; what is no file may be a directory."""
        url = self._forge.file_url(spot)
        if not await self._exists(url):
            return Moved(self._at(spot, "tree"))
        if media_type(spot.path[-1]) is None:
            return self._away(asked, self._forge.raw_url(spot))

        async def read() -> bytes:
            ask = self._asking(url)
            return await self._cache.body(await self._cache.get(url, ask, flush=asked.flush), ask)

        return Raw(name=spot.path[-1], read=read)

    def _away(self, asked: Asked, url: str) -> Moved:
        """To the source. Where only the path names it, that is for links on pages of ours, or any site could use this
        one's good name for a way to anywhere.
        """
        if not (self._forge.named or asked.referer):
            raise Denied("Files of this kind are not shown here.", where=url, hint="This is where it is at its source.")
        return Moved(url)

    async def _exists(self, url: str) -> bool:
        return await self._cache.exists(url, self._forge.fetcher.exists)

    def _asking(self, url: str) -> Ask:
        async def ask(copy: Copy | None) -> Fetched:
            return await self._forge.fetcher.get(
                url, etag=copy.etag if copy else "", modified=copy.modified if copy else ""
            )

        return ask

    async def _tree(self, asked: Asked, spot: Spot) -> Answer:
        found = await self._directory(asked, spot)
        if found is None:
            return Moved(self._at(spot, "blob"))
        if found.repo and found.repo != spot.repo:
            return Moved(self._at(msgspec.structs.replace(spot, repo=found.repo), "tree") + asked.query)
        name = spot.path[-1] if spot.path else spot.repo[-1]
        listing = self._listing(
            asked,
            found,
            chrome=self._chrome(name, found.held, crumbs=self._crumbs(spot), url=self._forge.web_url(spot, file=False)),
            entries=in_order([self._entry(spot, line) for line in found.lines]),
        )
        return msgspec.structs.replace(listing, refs=await self._refs(asked, spot), ref=spot.ref)

    async def _directory(self, asked: Asked, spot: Spot) -> Lines | None:
        """A directory, or None for a file, which some forges' APIs do not find among directories."""
        try:
            found = await self._forge.lines(spot, page=asked.page, flush=asked.flush)
            return None if found is None else _first_of(found)
        except Missing:
            if spot.path and await self._exists(self._forge.file_url(spot)):
                return None
            raise

    async def _refs(self, asked: Asked, spot: Spot) -> tuple[Ref, ...]:
        """The menu of branches and tags; a page without it is better than none."""
        try:
            points = await self._forge.menu(spot.repo, flush=asked.flush)
        except SourceError:
            return ()
        return tuple(
            Ref(kind=point.kind, name=point.name, href=self._at(msgspec.structs.replace(spot, ref=point.name), "tree"))
            for point in points[:_MOST_REFS]
        )

    def _listing(self, asked: Asked, found: Lines, *, chrome: Chrome, entries: tuple[Entry, ...]) -> Listing:
        return Listing(
            chrome=chrome,
            entries=entries,
            note=found.note,
            previous=f"?page={asked.page - 1}" if asked.page > 1 else "",
            next=f"?page={asked.page + 1}" if found.more else "",
        )

    def _entry(self, spot: Spot, line: Line) -> Entry:
        there = msgspec.structs.replace(spot, path=(*spot.path, line.name))
        if line.kind == "directory":
            return Entry(kind="directory", name=line.name, href=self._at(there, "tree"))
        if line.kind == "submodule":
            return Entry(kind="submodule", name=line.name)
        if is_notebook(line.name):
            return Entry(kind="notebook", name=line.name, href=self._at(there, "blob"))
        return Entry(kind="file", name=line.name, href=self._forge.web_url(there, file=True))

    def _owned(self, line: Line) -> Entry:
        return Entry(kind=line.kind, name=line.name, href=self._path(line.to, ""), note=line.note)

    def _crumbs(self, spot: Spot) -> tuple[Crumb, ...]:
        """The way from the owner to here."""
        owners = range(1, len(spot.repo))
        steps = [Crumb(spot.repo[size - 1], self._path(spot.repo[:size], "")) for size in owners]
        for size in range(len(spot.path) + 1):
            name = spot.path[size - 1] if size else spot.repo[-1]
            steps.append(Crumb(name, self._at(msgspec.structs.replace(spot, path=spot.path[:size]), "tree")))
        return (*steps[:-1], Crumb(spot.path[-1])) if spot.path else tuple(steps)

    def _at(self, spot: Spot, view: str) -> str:
        """A path of this server: `view` is blob or tree."""
        dash = ("-",) if self._forge.dash else ()
        return self._path(spot.repo, *dash, view, spot.ref, *spot.path, *(("",) if view == "tree" else ()))

    def _path(self, repo: Repo, *rest: str) -> str:
        return join(*self._forge.prefix, *repo, *rest)

    def _place(self, spot: Spot) -> Place:
        """What launch buttons need to know."""
        return Place(
            kind=self._forge.launched_as or "url",
            url=self._forge.raw_url(spot),
            user="/".join(spot.repo[:-1]),
            repo=spot.repo[-1],
            ref=spot.ref,
            path="/".join(spot.path),
        )

    def _chrome(
        self, name: str, held: Held, *, crumbs: tuple[Crumb, ...], url: str, place: Place | None = None
    ) -> Chrome:
        return Chrome(
            name=name,
            crumbs=crumbs,
            origin=Origin(label=self._forge.label, url=url),
            place=place,
            fetched=held.copy.fetched,
            checked=held.copy.checked,
            stale=held.stale,
        )


def _first_of(found: Lines) -> Lines:
    """As many lines as a page can hold."""
    if len(found.lines) <= _MOST_LINES:
        return found
    return msgspec.structs.replace(found, lines=found.lines[:_MOST_LINES], note=f"The first {_MOST_LINES} entries.")


def _spot(asked: Asked, repo: Repo, rest: Sequence[str]) -> Spot:
    """A place from what stands behind `blob` or `tree`; `refs/heads/` before a name is left out."""
    if len(rest) > 2 and rest[0] == "refs" and rest[1] in FULL_REFS:
        rest = rest[2:]
    ref = rest[0]
    for kind in FULL_REFS:
        ref = ref.removeprefix(f"refs/{kind}/")
    if any(not part for part in (*repo, ref, *rest[1:])):
        raise Missing("A part of this path is empty.", where=asked.raw)
    return Spot(repo=repo, ref=ref, path=tuple(rest[1:]))


def with_slash(asked: Asked) -> Moved:
    """The same path with a slash behind it."""
    return Moved(f"{asked.raw}/{asked.query}")
