"""What a session process is told: one message of JSON, read after the fork, so that the warm parent never sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SessionOrder:
    """One session as its own processes see it.

    `uid` is the user and the group that it runs as, -1 to stay who it is. `join` are the files that take a process
    into the session's cgroups. `walled` asks for namespaces; without it `home` is a directory that exists. `disk` is
    in bytes and `files` counts inodes of the home; `readable` are more directories that it may see. A `rehearsal` looks
    around and tells what it sees, compared with the namespaces `outside`.
    """

    name: str
    base_url: str
    token: str
    home: str
    uid: int = -1
    walled: bool = True
    join: tuple[str, ...] = ()
    disk: int = 1 << 28
    files: int = 10_000
    open_files: int = 4096
    ancestors: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    rehearsal: bool = False
    outside: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, message: dict[str, Any]) -> SessionOrder:
        """From the message. Raises `TypeError` when it is not one."""
        known = {one.name for one in fields(cls)}
        values: dict[str, Any] = {key: value for key, value in message.items() if key in known}
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        return cls(**values | lists)
