"""An image as sessions need to know it: whose files it has, and what it would keep on the host's disk."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import Environment
from amalthea.providers.docker.engine import Engine, Missing, obeyed

USERS = 100
"""The group of an image that runs as root: what most notebook images give their files."""

_MOST_PASSWD = 2**20


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is here. `gid` is the group of the user that it names: of those who may read what it brings.

    `volumes` are directories that it declares, which each container would get on disk.
    """

    name: str
    gid: int
    volumes: tuple[str, ...] = ()


async def prepare(engine: Engine, environment: Environment, *, progress: Callable[[str], None]) -> Image:
    """Pull the image where it is not here. Raises `ProviderError`, also when it cannot be pulled."""
    name = environment.image
    if not name:
        raise ProviderError(
            "this environment names no image", where=environment.name, hint='Give it one: image = "<name>:<tag>".'
        )
    try:
        found = await engine.image(name)
    except Missing:
        found = await _pulled(engine, name, progress)
    settings = found["Config"]
    gid = await _group(engine, name, settings.get("User") or "")
    return Image(name=name, gid=gid, volumes=tuple(sorted(settings.get("Volumes") or {})))


async def _pulled(engine: Engine, name: str, progress: Callable[[str], None]) -> Mapping[str, Any]:
    try:
        async for line in engine.pull(name):
            progress(f"{name}: {line}")
    except ProviderError as error:
        raise ProviderError(
            f"the image is not here and cannot be pulled: {error.message}",
            where=name,
            hint="Check its name, pull it by hand with `docker pull`, or load it with `docker load`.",
        ) from error
    return await engine.image(name)


async def _group(engine: Engine, name: str, declared: str) -> int:
    user, _, group = declared.partition(":")
    if user in ("", "0", "root"):
        return USERS
    return int(group) if group.isdecimal() else await _looked_up(engine, name, user, group)


async def _looked_up(engine: Engine, name: str, user: str, group: str) -> int:
    """The number behind a name, from the image's own files: a file system in memory takes numbers only."""
    container = await engine.create("", {"Image": name, "Cmd": ["true"], "NetworkDisabled": True})
    try:
        path, sought = ("/etc/group", group) if group else ("/etc/passwd", user)
        lines = await _lines(container, path)
    finally:
        await asyncio.shield(engine.remove(container.id))
    found = (words[2 if group else 3] for words in lines if sought in (words[0], words[2]))
    number = next(found, "0" if user.isdecimal() and not group else "")
    if not number.isdecimal():
        raise ProviderError(f"the image runs as {sought!r}, whom its {path} does not know", where=name)
    return int(number)


async def _lines(container: Any, path: str) -> list[list[str]]:
    try:
        with obeyed(path), await container.get_archive(path) as archive:
            return [line.split(":") for line in _text(archive).splitlines() if line.count(":") >= 3]
    except Missing:
        return []


def _text(archive: tarfile.TarFile) -> str:
    member = archive.next()
    body = archive.extractfile(member) if member and member.isreg() else None
    return body.read(_MOST_PASSWD).decode(errors="replace") if body else ""
