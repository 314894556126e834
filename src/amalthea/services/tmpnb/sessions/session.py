"""One session in use."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

import msgspec

from amalthea.model.spawner import Spawned

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_LENGTH = 14
NAME = re.compile(r"[a-z0-9]{6,40}-[a-z][a-z0-9-]{0,30}")


def new_name(site: str) -> str:
    """A name that nobody guesses (70 bits), with the site's behind it."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) + f"-{site}"


def new_token() -> str:
    """What opens one session and no other."""
    return secrets.token_hex(24)


def base_url(name: str) -> str:
    """The path that a session's server answers below."""
    return f"/user/{name}/"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to start.

    network:     who asks, as limits count
    environment: what is installed
    open:        the path of the notebook server that is seen first, with its query
    repository:  where the files come from, as an offer says it; or `directory`
    again:       the session whose files it begins with, and `token`, which opened that one
    """

    environment: str
    network: str = ""
    open: str = "lab"
    repository: str = ""
    directory: str = ""
    again: str = ""
    token: str = ""

    @property
    def source(self) -> str:
        """What it begins with, in one word for people and for a second visit."""
        return self.again or self.repository or self.directory


class Session(msgspec.Struct, kw_only=True):
    """A session in use. `until` is when it ends at the latest, `active` when something last happened in it."""

    spawned: Spawned
    token: str
    wish: Wish
    started: datetime
    until: datetime
    active: datetime
    busy: bool = False
    slowed: bool = False

    @property
    def name(self) -> str:
        """Its public name."""
        return self.spawned.name

    @property
    def base(self) -> str:
        """The path that its server answers below."""
        return base_url(self.name)

    @property
    def path(self) -> str:
        """Where its visitor begins, with the token that opens it."""
        page, _, query = self.wish.open.partition("?")
        return f"{self.base}{page}?{f'{query}&' if query else ''}token={self.token}"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one that has ended: when, and why, in words for its visitor."""

    name: str
    at: datetime
    why: str
