"""The part of GitHub's API that is used: conditional requests, typed answers, and its rate limit kept.

Everything goes through the cache, so that a listing seen again costs a 304, which GitHub does not count.
After a rate-limit answer nothing is asked until the time that GitHub named.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.cache import Cache, Held
from amalthea.services.nbviewer.errors import RateLimited, SourceError
from amalthea.services.nbviewer.fetching import Fetched, Fetcher
from amalthea.services.nbviewer.index import Copy
from amalthea.services.nbviewer.instruments import Instruments

T = TypeVar("T")
_LONGEST = "GitHub takes no more requests from this server for now"


class GitObject(msgspec.Struct, frozen=True):
    """One line of a directory."""

    name: str
    type: str


class Repository(msgspec.Struct, frozen=True):
    """What the pages need of a repository."""

    name: str
    default_branch: str = "HEAD"
    description: str | None = None
    fork: bool = False


class Named(msgspec.Struct, frozen=True):
    """A branch or a tag in a list."""

    name: str


class MatchingRef(msgspec.Struct, frozen=True):
    """A full ref, such as `refs/heads/main`."""

    ref: str


class GistFile(msgspec.Struct, frozen=True):
    """A file of a gist; `content` is cut when `truncated`."""

    filename: str
    raw_url: str
    size: int = 0
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
    html_url: str = ""


class GitHubApi:
    """Asks the API at `url`, with a token where there is one."""

    def __init__(
        self, url: str, *, token: str, fetcher: Fetcher, cache: Cache, clock: Clock, instruments: Instruments
    ) -> None:
        self._url = url.rstrip("/")
        self._fetcher = fetcher
        self._cache = cache
        self._clock = clock
        self._budget = instruments.github_budget
        self._closed_until: datetime | None = None
        self._headers = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    async def get(self, *parts: str, kind: type[T], flush: bool = False, query: str = "") -> tuple[T, Held]:
        """What stands at a path, and the copy that it was read from. Raises `SourceError`."""
        path = "/".join(quote(part, safe="") for part in parts)
        url = f"{self._url}/{path}{query}"

        async def ask(copy: Copy | None) -> Fetched:
            return await self._ask(url, copy)

        held = await self._cache.get(url, ask, flush=flush)
        return _decoded(await self._cache.body(held, ask), kind, url), held

    async def _ask(self, url: str, copy: Copy | None) -> Fetched:
        if self._closed_until is not None and self._clock() < self._closed_until:
            raise self._limited(url, self._closed_until)
        try:
            fetched = await self._fetcher.get(url, headers=self._headers, etag=copy.etag if copy else "")
        except RateLimited as error:
            self._closed_until = error.until
            self._budget.set(0)
            raise self._limited(url, error.until) from None
        left = fetched.headers.get("x-ratelimit-remaining", "")
        if left.isdecimal():
            self._budget.set(int(left))
        return fetched

    def _limited(self, url: str, until: datetime | None) -> RateLimited:
        when = f", until {until:%H:%M} UTC" if until else ""
        return RateLimited(
            f"{_LONGEST}{when}.",
            until=until,
            where=url,
            hint="A link to one notebook (…/blob/…) still works: files do not count against the limit.",
        )


def _decoded(body: bytes, kind: type[T], url: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SourceError("GitHub's answer is not what its API promises.", where=url) from None


def listing_or_file(value: Any) -> list[GitObject] | None:
    """The lines of a directory, or None where the path is a file."""
    if not isinstance(value, list):
        return None
    try:
        return msgspec.convert(value, list[GitObject])
    except msgspec.ValidationError:
        raise SourceError("GitHub's answer is not what its API promises.") from None
