"""`/hf/[datasets/|spaces/]<user>/<repo>/…`: models, datasets and spaces of Hugging Face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

import msgspec

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.fetching.fetcher import Fetcher
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Answer, Asked
from amalthea.services.nbviewer.sources.api import Api, encoded, plain
from amalthea.services.nbviewer.sources.forge import Home, Line, Lines, Point, Spot
from amalthea.services.nbviewer.sources.repositories import Repositories

Kind = Literal["models", "datasets", "spaces"]
_KINDS: tuple[Kind, ...] = ("models", "datasets", "spaces")
_MOST_ENTRIES = 1000
_MOST_REPOSITORIES = 200


class _Repository(msgspec.Struct, frozen=True):
    id: str


class _Entry(msgspec.Struct, frozen=True):
    path: str
    type: str


class _Ref(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    target_commit: str = ""


class _Refs(msgspec.Struct, frozen=True):
    branches: list[_Ref] = []
    tags: list[_Ref] = []


class HuggingFace:
    """One kind of Hugging Face's repositories as a forge. Every one of them begins with a branch `main`."""

    label = "Hugging Face"
    dash = False
    knows_head = False
    named = True
    launched_as = ""

    def __init__(self, kind: Kind, settings: Settings, *, fetcher: Fetcher, cache: Cache) -> None:
        self.prefix = ("hf",) if kind == "models" else ("hf", kind)
        self._kind = kind
        self._url = settings.huggingface_url.rstrip("/")
        self._web = self._url if kind == "models" else f"{self._url}/{kind}"
        self.fetcher = fetcher
        self._api = Api(self.label, cache=cache, ask=plain(fetcher))

    def file_url(self, spot: Spot) -> str:
        """Large files included."""
        return self.raw_url(spot)

    def raw_url(self, spot: Spot) -> str:
        """The file, from wherever it is kept."""
        return f"{self._web}/{encoded(*spot.repo, 'resolve', spot.name, *spot.path)}"

    def web_url(self, spot: Spot, *, file: bool) -> str:
        """A page of Hugging Face's."""
        return f"{self._web}/{encoded(*spot.repo, 'blob' if file else 'tree', spot.name, *spot.path)}"

    def owner_url(self, owner: tuple[str, ...]) -> str:
        """The page of a user or an organisation."""
        return f"{self._url}/{encoded(*owner)}"

    async def home(self, repo: tuple[str, ...], *, flush: bool) -> Home:
        """Hugging Face redirects from the names that a repository had."""
        found, _ = await self._api.get(self._of(repo), kind=_Repository, flush=flush)
        return Home(repo=tuple(found.id.split("/")), branch="main")

    async def lines(self, spot: Spot, *, page: int, flush: bool) -> Lines | None:
        """The first thousand: what points to the rest is a secret of the server's."""
        path = "/".join(("tree", encoded(spot.name), *map(encoded, spot.path)))
        told = await self._api.get(self._of(spot.repo, path), kind=list[_Entry], flush=flush)
        return Lines(
            lines=tuple(
                Line(kind="directory" if entry.type == "directory" else "file", name=entry.path.rpartition("/")[2])
                for entry in told.value
            ),
            held=told.held,
            note=f"The first {_MOST_ENTRIES} entries; Hugging Face shows the rest." if told.goes_on else "",
        )

    async def menu(self, repo: tuple[str, ...], *, flush: bool) -> Sequence[Point]:
        """All of them, which is one request."""
        refs, _ = await self._api.get(self._of(repo, "refs"), kind=_Refs, flush=flush)
        return [
            *(Point(kind="branch", name=found.name, commit=found.target_commit) for found in refs.branches),
            *(Point(kind="tag", name=found.name, commit=found.target_commit) for found in refs.tags),
        ]

    async def beginning(self, repo: tuple[str, ...], start: str, *, flush: bool) -> Sequence[Point]:
        """Those of the menu."""
        return [point for point in await self.menu(repo, flush=flush) if point.name.startswith(start)]

    async def owned(self, owner: tuple[str, ...], *, page: int, flush: bool) -> Lines:
        """The repositories of this kind, the one changed last first; nothing at all is as good as no such owner."""
        query = urlencode({"author": "/".join(owner), "sort": "lastModified", "limit": _MOST_REPOSITORIES})
        told = await self._api.get(f"{self._url}/api/{self._kind}?{query}", kind=list[_Repository], flush=flush)
        names = [tuple(found.id.split("/")) for found in told.value]
        return Lines(
            lines=tuple(Line(kind="repository", name=name[-1], to=name) for name in names),
            held=told.held,
            note=f"The first {_MOST_REPOSITORIES} of its {self._kind}." if told.goes_on else f"Its {self._kind}.",
        )

    def _of(self, repo: tuple[str, ...], rest: str = "") -> str:
        url = f"{self._url}/api/{self._kind}/{'/'.join(map(encoded, repo))}"
        return f"{url}/{rest}" if rest else url


class HuggingFaceSource:
    """`/hf/…`."""

    paths = ("/hf/{rest:path}",)

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache) -> None:
        self._repositories = {
            kind: Repositories(HuggingFace(kind, settings, fetcher=fetcher, cache=cache), cache) for kind in _KINDS
        }

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, a listing or a redirect."""
        match asked.parts:
            case ("hf", "datasets" | "spaces" as kind, *names) if names and all(names):
                return await self._of(asked, kind, names)
            case ("hf", *names) if names and all(names):
                return await self._of(asked, "models", names)
        raise Missing("Hugging Face paths are /hf/user/repo/blob/ref/path.", where=asked.raw)

    async def _of(self, asked: Asked, kind: Kind, names: Sequence[str]) -> Answer:
        repositories = self._repositories[kind]
        if len(names) == 1:
            return await repositories.owner(asked, (names[0],))
        return await repositories.inside(asked, (names[0], names[1]), names[2:])
