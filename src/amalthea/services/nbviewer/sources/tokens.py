"""GitHub's rate limits: several tokens as one pool, each with its own budget of requests an hour.

A new question takes the token with the most budget left. A question asked again takes the token that asked
it before, because GitHub's ETags differ by token and only a match is free of charge. A spent token rests
until the time that GitHub named; when all rest, nothing is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from prometheus_client import Gauge

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.errors import RateLimited, Unauthorized
from amalthea.services.nbviewer.fetching.fetcher import Fetched, Fetcher
from amalthea.services.nbviewer.memory import Memory

_REMEMBERED_BYTES = 4 * 2**20
_HOUR = timedelta(hours=1)
_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


class _Token:
    """One token; an empty `secret` asks as nobody, which GitHub allows 60 times an hour."""

    def __init__(self, secret: str) -> None:
        self.headers = {**_HEADERS, **({"authorization": f"Bearer {secret}"} if secret else {})}
        self.left = math.inf
        self.rests_until: datetime | None = None

    def rests(self, now: datetime) -> bool:
        """Whether it may not be used yet."""
        return self.rests_until is not None and now < self.rests_until


class Tokens:
    """The pool. `budget` shows what is left of each token, by its place in the list and never by its name."""

    def __init__(self, secrets: Sequence[str], *, clock: Clock, budget: Gauge) -> None:
        self._tokens = [_Token(secret) for secret in secrets or ("",)]
        self._clock = clock
        self._budget = budget
        self._asked_by: Memory[int] = Memory(_REMEMBERED_BYTES, lambda place: 200)
        for place in range(len(self._tokens)):
            budget.labels(str(place)).set(math.nan)

    async def spend(self, fetcher: Fetcher, url: str, *, etag: str = "") -> Fetched:
        """Ask for `url` with the best token. Raises `RateLimited` when every token rests."""
        for _ in self._tokens:
            place = self._choose(url)
            token = self._tokens[place]
            try:
                fetched = await fetcher.get(url, headers=token.headers, etag=etag)
            except RateLimited as error:
                if not error.spent:
                    raise _limited(url, error.until) from None
                self._rest(place, error.until or self._clock() + _HOUR)
            except Unauthorized:
                if len(self._tokens) == 1:
                    raise
                self._rest(place, self._clock() + _HOUR)
            else:
                self._asked_by.put(url, place)
                self._count(place, fetched)
                return fetched
        raise self._all_rest(url)

    def _choose(self, url: str) -> int:
        now = self._clock()
        awake = [place for place, token in enumerate(self._tokens) if not token.rests(now)]
        if not awake:
            raise self._all_rest(url)
        before = self._asked_by.get(url)
        return before if before in awake else max(awake, key=lambda place: self._tokens[place].left)

    def _count(self, place: int, fetched: Fetched) -> None:
        left = fetched.headers.get("x-ratelimit-remaining", "")
        if left.isdecimal():
            self._tokens[place].left = int(left)
            self._budget.labels(str(place)).set(int(left))

    def _rest(self, place: int, until: datetime) -> None:
        """Nothing is known of its budget when it comes back, so it is then as good as full."""
        self._tokens[place].left, self._tokens[place].rests_until = math.inf, until
        self._budget.labels(str(place)).set(0)

    def _all_rest(self, url: str) -> RateLimited:
        return _limited(url, min(token.rests_until for token in self._tokens if token.rests_until is not None))


def parse(variable: str) -> tuple[str, ...]:
    """The tokens in an environment variable, separated by commas or spaces; each once."""
    return tuple(dict.fromkeys(variable.replace(",", " ").split()))


def _limited(url: str, until: datetime | None) -> RateLimited:
    when = f", until {until:%H:%M} UTC" if until else ""
    return RateLimited(
        f"GitHub takes no more requests from this server for now{when}.",
        until=until,
        where=url,
        hint="A link to one notebook (…/blob/…) still works: files do not count against the limit.",
    )
