"""The files of a session by `tar` in its container, for a process that is not let at them in any other way.

What comes back was made next to a stranger's processes: its length is bounded, and only plain files count.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

from aiodocker.containers import DockerContainer

from amalthea.model.errors import ProviderError
from amalthea.model.spawner import HomeFile, Limits
from amalthea.providers.docker.archive import listed, pack, picked
from amalthea.providers.docker.engine import obeyed
from amalthea.providers.docker.paths import parts
from amalthea.providers.docker.recipe import HOME

_PATIENCE = 60.0
_AROUND = 4096  # bytes that a file takes in an archive beyond its own, with a long name
_STDOUT = 1


class PackedHome:
    """A `Home` that asks the container for an archive; after `keep`, it is read from the one of that moment."""

    def __init__(self, container: DockerContainer, limits: Limits, name: str) -> None:
        self._name = name
        self._container = container
        self._most = int(limits.disk) + limits.files * _AROUND
        self._kept: IO[bytes] | None = None
        self._reading = asyncio.Lock()
        self._forgotten = False

    async def scan(self) -> Sequence[HomeFile]:
        """Every file, ordered by path. Raises `ProviderError`."""
        async with self._reading, self._archive() as archive:
            return await asyncio.to_thread(listed, archive)

    async def read(self, path: str, *, most: int) -> bytes:
        """What the file holds. Raises `ProviderError`."""
        name = "/".join(parts(path))
        async with self._reading, self._archive() as archive:
            return await asyncio.to_thread(picked, archive, name, most)

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        """Make or replace a file while the session runs, as its own. Raises `ProviderError`."""
        packed = pack(parts(path), body, executable)
        if self._kept is not None or self._forgotten:
            raise ProviderError("the session has ended: its files can only be read", where=path)
        with tempfile.TemporaryFile() as said:
            status = await self._run(["tar", "-x", "-f", "-", "-C", HOME], said, stdin=packed)
        if status:
            raise ProviderError(f"the file cannot be written there: tar ended with status {status}", where=path)

    async def keep(self) -> None:
        """Take the archive that is read from now on. Raises `ProviderError` when the container does not give it."""
        async with self._reading:
            if self._kept is None and not self._forgotten:
                self._kept = await self._fetched()

    def close(self) -> None:
        """Let go of what was kept."""
        self._forgotten = True
        if self._kept is not None:
            self._kept.close()

    @asynccontextmanager
    async def _archive(self) -> AsyncIterator[IO[bytes]]:
        if self._forgotten:
            raise ProviderError("the session was forgotten, and its files with it", where=self._name)
        archive = self._kept or await self._fetched()
        try:
            yield archive
        finally:
            if archive is not self._kept:
                archive.close()

    async def _fetched(self) -> IO[bytes]:
        output = tempfile.TemporaryFile()  # noqa: SIM115 - whoever gets it closes it
        try:
            # Its status says nothing: files that change meanwhile, or that their owner locked, are complained of.
            await self._run(["tar", "-c", "-f", "-", "-C", HOME, "."], output)
        except BaseException:
            output.close()
            raise
        return output

    async def _run(self, argv: Sequence[str], output: IO[bytes], *, stdin: bytes = b"") -> int:
        """Its status; what it prints goes to `output`."""
        with obeyed(self._name):
            async with asyncio.timeout(_PATIENCE):
                process = await self._container.exec(argv, stdin=bool(stdin))
                async with process.start() as stream:
                    if stdin:
                        await stream.write_in(stdin)
                    while (message := await stream.read_out()) is not None:
                        self._spool(message.stream, message.data, output)
                return int((await process.inspect())["ExitCode"] or 0)

    def _spool(self, channel: int, data: bytes, output: IO[bytes]) -> None:
        if channel == _STDOUT:
            output.write(data)
        if output.tell() > self._most:
            raise ProviderError("its files are more than it may have", where=self._name)
