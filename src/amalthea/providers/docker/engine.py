"""The engine's API, with its errors as ours."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from amalthea.model.errors import ProviderError

SOCKET = "unix:///run/docker.sock"
START_IT = "Start the engine, let this user use its socket, or name another one with DOCKER_HOST=unix://<path>."

_NO_ANSWER = 900
_MISSING = 404
_PATIENCE = aiohttp.ClientTimeout(total=120, sock_connect=5)


class Missing(ProviderError):
    """The engine knows no such container or image."""


@contextmanager
def obeyed(where: str) -> Iterator[None]:
    """Turn what goes wrong between us and the engine into `ProviderError`."""
    try:
        yield
    except DockerError as error:
        if error.status == _NO_ANSWER:
            raise _unreachable(where, error.message) from error
        kind = Missing if error.status == _MISSING else ProviderError
        raise kind(f"the engine refuses: {error.message}", where=where) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _unreachable(where, str(error) or "no answer in time") from error


def _unreachable(where: str, why: str) -> ProviderError:
    return ProviderError(f"the Docker engine does not answer: {why}", where=where, hint=START_IT)


class Engine:
    """One Docker engine of this machine. `url` is `unix://<path>`; without one, DOCKER_HOST or the usual socket.

    Whoever opens it closes it. Everything raises `ProviderError`, and `Missing` for what is not there.
    """

    def __init__(self, url: str = "") -> None:
        self.url = url or os.environ.get("DOCKER_HOST", "") or SOCKET
        if not self.url.startswith("unix://"):
            raise ProviderError(
                "sessions are reached through socket files, so the engine has to be on this machine",
                where=self.url,
                hint="Use unix://<path of its socket>.",
            )
        # A session that is waited for holds a connection: their number must not be bounded here.
        self._connector = aiohttp.UnixConnector(self.url.removeprefix("unix://"), limit=0)
        self._docker = Docker(url="unix://localhost", connector=self._connector, timeout=_PATIENCE)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._docker.close()
        await self._connector.close()

    async def ask(self, path: str, *, method: str = "GET", **query: Any) -> Any:
        """Any call that answers JSON; the client has no method for some of those needed here."""
        with obeyed(path):
            return await self._docker._query_json(path, method, **query)

    async def create(self, name: str, recipe: Mapping[str, Any]) -> DockerContainer:
        """Make a container."""
        with obeyed(name):
            return await self._docker.containers.create(dict(recipe), name=name)

    async def listed(self, labels: Mapping[str, str], *, stopped: bool = False) -> list[Mapping[str, Any]]:
        """What the engine's list says of containers with these labels: `Id`, `Labels`, `State`."""
        wanted = [f"{key}={value}" for key, value in labels.items()]
        filters = {"label": wanted} if stopped else {"label": wanted, "status": ["running"]}
        with obeyed(self.url):
            found = await self._docker.containers.list(all=True, filters=filters)
        return [one._container for one in found]

    async def remove(self, identity: str) -> None:
        """Kill a container where it runs, and remove it with its volumes. One that is not there is success."""
        while True:
            try:
                with obeyed(identity):
                    return await self._docker.containers.container(identity).delete(force=True, v=True)
            except Missing:
                return None
            except ProviderError as error:
                if "already in progress" not in error.message:
                    raise
                await asyncio.sleep(0.05)

    async def image(self, name: str) -> Mapping[str, Any]:
        """What the engine says of an image that it has."""
        with obeyed(name):
            return await self._docker.images.inspect(name)

    async def pull(self, name: str) -> AsyncIterator[str]:
        """Fetch an image, and say how far that is."""
        with obeyed(name):
            async for line in self._docker.images.pull(name, stream=True):
                yield " ".join(str(line[key]) for key in ("id", "status", "progress") if line.get(key))
