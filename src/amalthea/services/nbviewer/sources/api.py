"""Typed answers of other people's APIs, through the cache.

So a listing seen again is a conditional request, which GitHub does not count, and one that everybody looks
at is asked for once a minute. `Api` does it for any server; `GitHubApi` adds GitHub's tokens.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from amalthea.services.nbviewer.errors import Malformed, TooLarge
from amalthea.services.nbviewer.fetching.cache import Cache, Held
from amalthea.services.nbviewer.fetching.fetcher import Fetched, Fetcher
from amalthea.services.nbviewer.fetching.index import Copy
from amalthea.services.nbviewer.sources.tokens import Tokens

T = TypeVar("T")
AskUrl = Callable[[str, Copy | None], Awaitable[Fetched]]
"""Asks for a URL, on the condition that the copy given is not the newest."""

LARGEST = 8 * 2**20
_LARGEST_GIST = 64 * 2**20  # the files are in it
_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\b", re.IGNORECASE)  # linear, whatever a server sends


class Told(NamedTuple, Generic[T]):
    """What an API said, and the copy that it was read from."""

    value: T
    held: Held

    @property
    def goes_on(self) -> bool:
        """Whether a list has another page, as its `Link` header says."""
        return _NEXT.search(self.held.copy.link) is not None


class Api:
    """One server's API. `label` is its name in messages; answers of more than `limit` bytes are not read."""

    def __init__(self, label: str, *, cache: Cache, ask: AskUrl, limit: int = LARGEST) -> None:
        self._label = label
        self._limit = limit
        self._cache = cache
        self._ask = ask

    async def get(self, url: str, *, kind: type[T], flush: bool = False) -> Told[T]:
        """What stands at `url`. Raises `SourceError`."""

        async def ask(copy: Copy | None) -> Fetched:
            return await self._ask(url, copy)

        held = await self._cache.get(url, ask, flush=flush)
        body = await self._cache.body(held, ask)
        if len(body) > self._limit:
            raise TooLarge(f"{self._label}'s answer is larger than the {self._limit >> 20} MiB read here.", where=url)
        try:
            return Told(msgspec.json.decode(body, type=kind), held)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Malformed(f"{self._label}'s answer is not what its API promises.", where=url) from None


class GitHubApi:
    """The API of one GitHub at `url`."""

    def __init__(self, url: str, *, tokens: Tokens, fetcher: Fetcher, cache: Cache) -> None:
        self._url = url.rstrip("/")
        self._tokens = tokens
        self._fetcher = fetcher
        self._api = Api("GitHub", cache=cache, ask=self._ask, limit=_LARGEST_GIST)

    async def get(self, *parts: str, kind: type[T], flush: bool = False, query: str = "") -> Told[T]:
        """What stands at a path, its parts not yet encoded. Raises `SourceError`."""
        url = f"{self._url}/{encoded(*parts)}{query}"
        return await self._api.get(url, kind=kind, flush=flush)

    async def _ask(self, url: str, copy: Copy | None) -> Fetched:
        return await self._tokens.spend(self._fetcher, url, etag=copy.etag if copy else "")


def plain(fetcher: Fetcher) -> AskUrl:
    """Asks a server that wants no token."""

    async def ask(url: str, copy: Copy | None) -> Fetched:
        return await fetcher.get(url, etag=copy.etag if copy else "", modified=copy.modified if copy else "")

    return ask


def encoded(*parts: str) -> str:
    """Parts of a path, each encoded with its slashes, joined."""
    return "/".join(quote(part, safe="") for part in parts)


def converted(values: Any, kind: type[T], label: str) -> list[T]:
    """A list whose items were not known to be of one kind. Raises `Malformed`."""
    try:
        return msgspec.convert(values, list[kind])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        raise Malformed(f"{label}'s answer is not what its API promises.") from None
