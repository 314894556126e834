"""What GitHub, GitLab, Gitea, Bitbucket and Hugging Face have in common: repositories with refs and paths.

A forge says where things are and what its API answers; `repositories` makes pages of it, the same for all:

    /github/<user>/<repo>/...                      github.com, or the GitHub Enterprise of the settings
    /gitlab/<host>/<group>/.../<project>/-/...     gitlab.com and every other GitLab
    /gitea/<host>/<user>/<repo>/...                Codeberg, and every other Gitea or Forgejo
    /bitbucket/<workspace>/<repo>/...
    /hf/[datasets/|spaces/]<user>/<repo>/...       Hugging Face

where `...` is `blob/<ref>/<path>` for a file, `raw/...` for the same, `tree/<ref>/<path>/` for a directory
and nothing for the default branch. An owner alone, with a slash behind, lists what is the owner's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol
from urllib.parse import quote

import msgspec

from amalthea.services.nbviewer.fetching.cache import Held
from amalthea.services.nbviewer.fetching.fetcher import Fetcher

FULL_REFS: Mapping[str, Literal["branch", "tag"]] = {"heads": "branch", "tags": "tag"}


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or a tag, and its commit where the forge says which."""

    kind: Literal["branch", "tag"]
    name: str
    commit: str = ""

    @property
    def full(self) -> str:
        """Its whole name, which nothing else has."""
        return f"refs/{'heads' if self.kind == 'branch' else 'tags'}/{self.name}"


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a repository; `repo` is its owner, or more than one, and its name.

    `ref` is as the visitor has it; `point` is the branch or tag that it is known to be.
    """

    repo: tuple[str, ...]
    ref: str
    path: tuple[str, ...] = ()
    point: Point | None = None

    @property
    def name(self) -> str:
        """The ref as the forge knows it."""
        return self.point.name if self.point else self.ref


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A repository under the name it has now, and its default branch."""

    repo: tuple[str, ...]
    branch: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a directory, or of what an owner has: then `to` is its whole name."""

    kind: Literal["directory", "file", "submodule", "repository"]
    name: str
    note: str = ""
    to: tuple[str, ...] = ()


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list, the copy that it was read from, and whether another page follows.

    `repo` is the name that the repository has by now, where the forge says it along the way.
    """

    lines: tuple[Line, ...]
    held: Held
    more: bool = False
    note: str = ""
    repo: tuple[str, ...] = ()


class Forge(Protocol):
    """One server. Every call raises `SourceError`; `Missing` where there is no such thing."""

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    @property
    def prefix(self) -> tuple[str, ...]:
        """The first parts of its paths here."""
        ...

    @property
    def dash(self) -> bool:
        """Whether `-` stands between a repository and what is in it, as a name may have any number of parts."""
        ...

    @property
    def knows_head(self) -> bool:
        """Whether `HEAD` is a ref to its raw host and its API."""
        ...

    @property
    def launched_as(self) -> str:
        """The name that launch buttons have for it; empty where they know its files by URL alone."""
        ...

    @property
    def named(self) -> bool:
        """Whether the settings name this server; else it is one that a visitor has thought of."""
        ...

    @property
    def fetcher(self) -> Fetcher:
        """The client for its files."""
        ...

    def file_url(self, spot: Spot) -> str:
        """Where a file's bytes are fetched."""
        ...

    def raw_url(self, spot: Spot) -> str:
        """Where people find a file as it is; what lies beside it is found by a relative address."""
        ...

    def web_url(self, spot: Spot, *, file: bool) -> str:
        """Where people look at a file or a directory."""
        ...

    def owner_url(self, owner: tuple[str, ...]) -> str:
        """Where people look at an owner."""
        ...

    async def home(self, repo: tuple[str, ...], *, flush: bool) -> Home:
        """What the repository is called now."""
        ...

    async def lines(self, spot: Spot, *, page: int, flush: bool) -> Lines | None:
        """A directory, or None where the path is known to be a file."""
        ...

    async def menu(self, repo: tuple[str, ...], *, flush: bool) -> Sequence[Point]:
        """The branches and tags to choose from; the first page of them is enough."""
        ...

    async def beginning(self, repo: tuple[str, ...], start: str, *, flush: bool) -> Sequence[Point]:
        """The branches and tags whose names begin with `start`."""
        ...

    async def owned(self, owner: tuple[str, ...], *, page: int, flush: bool) -> Lines:
        """The repositories of an owner, newest first."""
        ...


def slashed(ref: str) -> str:
    """A ref in a URL whose server finds its end by itself."""
    return quote(ref, safe="/")
