"""`/gist/[user/]<id>[/[files/]name]`: gists, the old links that are a bare id, and `/gist/<user>/`: a user's.

One API call brings the names and, below a megabyte, the files themselves; what is larger comes from the
gist's raw host.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import quote

import msgspec

from amalthea.services.nbviewer.content.raw_files import media_type
from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache, Held
from amalthea.services.nbviewer.fetching.fetcher import Fetched, Fetcher
from amalthea.services.nbviewer.fetching.index import Copy
from amalthea.services.nbviewer.paste.rewriting import GIST_ID
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
    Place,
    Raw,
    in_order,
    is_notebook,
    join,
)
from amalthea.services.nbviewer.sources.api import GitHubApi
from amalthea.services.nbviewer.sources.repositories import with_slash

_ANONYMOUS = "anonymous"
_PER_PAGE = 100


class GistFile(msgspec.Struct, frozen=True):
    """A file of a gist; `content` is cut when `truncated`, and left out in a list of gists."""

    filename: str
    raw_url: str
    truncated: bool = False
    content: str = ""


class Owner(msgspec.Struct, frozen=True):
    """Whose it is."""

    login: str


class Gist(msgspec.Struct, frozen=True):
    """A gist; one without an owner is anonymous."""

    id: str
    files: dict[str, GistFile]
    owner: Owner | None = None
    description: str | None = None
    updated_at: datetime | None = None

    @property
    def notebooks(self) -> list[GistFile]:
        """The files that are notebooks."""
        return [file for file in self.files.values() if is_notebook(file.filename)]


class GistSource:
    """The gists of one GitHub."""

    paths = ("/gist/{rest:path}", "/{id}", "/{id}/{rest:path}")

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache, api: GitHubApi) -> None:
        self._web = settings.gist_url.rstrip("/")
        self._fetcher = fetcher
        self._cache = cache
        self._api = api

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, the list of a gist's files, or a redirect to either."""
        match asked.parts:
            case ("gist", user, id, *rest) if GIST_ID.fullmatch(id):
                return await self._gist(asked, user, id, rest)
            case ("gist", id, *rest) if GIST_ID.fullmatch(id):
                return await self._with_owner(asked, id, rest)
            case (id, *_) if GIST_ID.fullmatch(id):
                return Moved(f"/gist{asked.raw}{asked.query}")
            case ("gist", user) if user:
                return await self._of_user(asked, user) if asked.slash else with_slash(asked)
        raise Missing("There is nothing under this path.", where=asked.raw)

    async def _of_user(self, asked: Asked, user: str) -> Listing:
        """The gists that hold a notebook, the one changed last first."""
        told = await self._api.get(
            "users", user, "gists", kind=list[Gist], flush=asked.flush, query=f"?per_page={_PER_PAGE}&page={asked.page}"
        )
        entries = tuple(
            Entry(
                kind="notebook",
                name=gist.description or gist.notebooks[0].filename,
                href=join("gist", user, gist.id),
                note=", ".join(file.filename for file in gist.notebooks) if gist.description else "",
                modified=gist.updated_at,
            )
            for gist in told.value
            if gist.notebooks
        )
        return Listing(
            chrome=Chrome(
                name=f"Gists of {user}",
                crumbs=(Crumb(user),),
                origin=Origin(label="Gist", url=f"{self._web}{join(user)}"),
                fetched=told.held.copy.fetched,
                checked=told.held.copy.checked,
                stale=told.held.stale,
            ),
            entries=entries,
            note="" if entries else "No gist on this page holds a notebook.",
            previous=f"?page={asked.page - 1}" if asked.page > 1 else "",
            next=f"?page={asked.page + 1}" if told.goes_on else "",
        )

    async def _with_owner(self, asked: Asked, id: str, rest: list[str]) -> Moved:
        gist, _ = await self._api.get("gists", id, kind=Gist, flush=asked.flush)
        owner = gist.owner.login if gist.owner else _ANONYMOUS
        return Moved(join("gist", owner, id, *rest) + asked.query)

    async def _gist(self, asked: Asked, user: str, id: str, rest: list[str]) -> Answer:
        if asked.slash:
            return Moved(asked.raw.rstrip("/") + asked.query)
        gist, held = await self._api.get("gists", id, kind=Gist, flush=asked.flush)
        if rest and rest[0] == "files":
            rest = rest[1:]
        if rest:
            file = gist.files.get("/".join(rest))
            if file is None:
                raise Missing(f"This gist has no file named {'/'.join(rest)!r}.", where=asked.raw)
            return await self._file(asked, file, self._chrome(gist, held, user=user, file=file))
        if len(gist.files) == 1 and gist.notebooks:
            only = gist.notebooks[0]
            return await self._file(asked, only, self._chrome(gist, held, user=user, file=only))
        return self._files(gist, held, user)

    def _files(self, gist: Gist, held: Held, user: str) -> Listing:
        entries = [
            Entry(
                kind="notebook" if is_notebook(file.filename) else "file",
                name=file.filename,
                href=join("gist", user, gist.id, file.filename),
            )
            for file in gist.files.values()
        ]
        return Listing(chrome=self._chrome(gist, held, user=user), entries=in_order(entries))

    def _chrome(self, gist: Gist, held: Held, *, user: str, file: GistFile | None = None) -> Chrome:
        crumbs: tuple[Crumb, ...] = (self._user(gist, user), Crumb(gist.id, join("gist", user, gist.id)))
        place = None
        if file is not None:
            crumbs = (*crumbs, Crumb(file.filename))
            if self._web == "https://gist.github.com":
                place = Place(kind="gist", url=file.raw_url, user=user, repo=gist.id, ref="HEAD", path=file.filename)
        return Chrome(
            name=file.filename if file else gist.description or f"gist {gist.id}",
            crumbs=crumbs,
            origin=Origin(label="Gist", url=f"{self._web}{join(user, gist.id)}"),
            place=place,
            fetched=held.copy.fetched,
            checked=held.copy.checked,
            stale=held.stale,
        )

    def _user(self, gist: Gist, user: str) -> Crumb:
        return Crumb(user, join("gist", user, "")) if gist.owner else Crumb(user)

    async def _file(self, asked: Asked, file: GistFile, chrome: Chrome) -> Answer:
        if not is_notebook(file.filename):
            return self._other_file(asked, file)
        base = file.raw_url.rpartition("/")[0] + "/"
        links = "/" + "/".join(quote(part, safe="") for part in asked.parts[:3]) + "/"
        if file.truncated:
            return await self._large(asked, file, chrome, bases=(base, links))
        body = file.content.encode()

        async def read() -> bytes:
            return body

        return Document(
            chrome=chrome, digest=hashlib.sha256(body).hexdigest(), read=read, raw_base=base, link_base=links
        )

    def _other_file(self, asked: Asked, file: GistFile) -> Moved | Raw:
        """A picture or text is shown here, any other file by its source."""
        if media_type(file.filename) is None:
            return Moved(file.raw_url)

        async def ask(copy: Copy | None) -> Fetched:
            return await self._fetcher.get(file.raw_url, etag=copy.etag if copy else "")

        async def read() -> bytes:
            return await self._cache.body(await self._cache.get(file.raw_url, ask, flush=asked.flush), ask)

        return Raw(name=file.filename, read=read)

    async def _large(self, asked: Asked, file: GistFile, chrome: Chrome, *, bases: tuple[str, str]) -> Document:
        async def ask(copy: Copy | None) -> Fetched:
            return await self._fetcher.get(file.raw_url, etag=copy.etag if copy else "")

        held = await self._cache.get(file.raw_url, ask, flush=asked.flush)
        chrome = msgspec.structs.replace(chrome, fetched=held.copy.fetched, stale=chrome.stale or held.stale)
        return Document(
            chrome=chrome,
            digest=held.copy.digest,
            read=lambda: self._cache.body(held, ask),
            raw_base=bases[0],
            link_base=bases[1],
        )
