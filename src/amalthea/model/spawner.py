"""Something that starts private notebook servers, one for each visitor who asks: the contract.

A session is a notebook server with its kernels, in a sandbox: it sees its own files and nothing of anybody else's. A
spawner starts it, says what it uses, reaches its files, and ends it. Whether that is a forked process, a container or
a pod is the spawner's own business; whoever asks for sessions knows this page alone.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from amalthea.model.units import ByteSize


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one session may use. `cpu` is in cores, `disk` and `files` bound its home, `open_files` each process."""

    memory: ByteSize
    cpu: float
    processes: int
    disk: ByteSize
    files: int
    open_files: int = 4096


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What is installed where sessions run: an interpreter for a spawner of processes, an image for one of containers.

    Without either it is the interpreter that runs amalthea. `preload` names modules that kernels find imported.
    """

    name: str
    python: str = ""
    image: str = ""
    preload: tuple[str, ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One session to start.

    `name` is made by whoever asks, of lower-case letters, digits and hyphens; `base_url` is the path that its server
    answers below, with a slash at both ends; `token` opens it. `ancestors` are the origins that may show it in a frame.
    """

    name: str
    environment: str
    base_url: str
    token: str
    limits: Limits
    ancestors: tuple[str, ...] = ()


class Spawned(msgspec.Struct, frozen=True, kw_only=True):
    """One session that runs. `address` is where its server answers HTTP: `unix:<path>` or `<ip>:<port>`."""

    name: str
    environment: str
    address: str
    started: datetime


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a session uses now, in bytes, and has used, in seconds of CPU; None for what is not known here.

    `kills` counts processes that were ended because the session had no memory left.
    """

    memory: int | None = None
    cpu: float | None = None
    processes: int | None = None
    disk: int | None = None
    files: int | None = None
    kills: int | None = None


class Guarantee(msgspec.Struct, frozen=True, kw_only=True):
    """One wall around a session: whether it stands on this machine, what it does, and why not where it does not."""

    name: str
    holds: bool
    promise: str
    detail: str = ""


class HomeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A plain file below a session's home. `path` is relative; `modified` is in nanoseconds since the epoch."""

    path: str
    size: int
    modified: int
    executable: bool = False


class Home(Protocol):
    """The files of one session, also after its end, until it is forgotten. Their owner is a stranger.

    Links and everything else that is neither file nor directory are as good as absent. All raise `ProviderError`.
    """

    async def scan(self) -> Sequence[HomeFile]:
        """Every file, ordered by path."""
        ...

    async def read(self, path: str, *, most: int) -> bytes:
        """What the file holds; `ProviderError` when it is gone, no plain file, or longer than `most` bytes."""
        ...

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        """Make or replace a file, with the directories above it, as the session's own."""
        ...


class Spawner(Protocol):
    """Starts sessions. Whoever opened it closes it; closing ends them all."""

    name: str

    def guarantees(self) -> Sequence[Guarantee]:
        """The walls around each session, as found out on this machine."""
        ...

    async def start(self, order: Order) -> Spawned:
        """Start a session and return once a connection to its server is accepted (it may wait to be answered).

        Raises `ProviderError` when it cannot be started; then nothing of it is left.
        """
        ...

    async def stop(self, name: str) -> None:
        """End all its processes; none is left when this returns. One that is not there is success."""
        ...

    async def ended(self, name: str) -> str:
        """Wait until the session has ended, by itself or not, and return why, in words for its visitor."""
        ...

    async def forget(self, name: str) -> None:
        """End it where it runs, and let go of its files and all else that is left of it."""
        ...

    async def running(self) -> Mapping[str, Spawned]:
        """What runs, by name: observed, never remembered."""
        ...

    async def usage(self, name: str) -> Usage:
        """What it uses. Raises `ProviderError` for one that is not there."""
        ...

    async def throttle(self, name: str, *, cpu: float) -> None:
        """Leave it so many cores from now on, where the machine can do that."""
        ...

    def home(self, name: str) -> Home:
        """Its files. Raises `ProviderError` for one that was forgotten or never was."""
        ...

    def egress(self, name: str) -> socket.socket | None:
        """A listening socket at 127.0.0.1:3128 of the session's own network, which leads nowhere else.

        Whoever accepts on it is the only way out that the session has. None where it has no network of its own.
        """
        ...

    async def aclose(self) -> None:
        """End every session."""
        ...
