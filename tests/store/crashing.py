"""A process that writes until it is killed, and tells of every write that was acknowledged.

Each of its tasks goes on writing the next version of one key of its own, and a new object for each version.
"""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from amalthea.store.filesystem import FilesystemStore

WRITERS = 8


def body(key: str, version: int) -> bytes:
    """What a version holds: it can be told from the bytes which one it is, and whether they are whole."""
    return b"".join(b"%s %d\n" % (key.encode(), version) for _ in range(1 + (version * 7919) % 500))


def version_of(text: bytes) -> int:
    """The version that a body claims to be."""
    return int(text.partition(b"\n")[0].rpartition(b" ")[2])


def write_until_killed(directory: Path, name: str, acknowledged: Connection) -> None:
    """Write below `name`; `key version` is sent after each put."""
    asyncio.run(_write(directory, name, acknowledged))


async def _write(directory: Path, name: str, acknowledged: Connection) -> None:
    store = await FilesystemStore.open(directory)

    async def writer(number: int) -> None:
        owned, version = f"{name}/owned/{number}", 0
        while True:
            version += 1
            await store.put(owned, body(owned, version))
            acknowledged.send_bytes(f"{owned} {version}".encode())
            new = f"{name}/new/{number}-{version}"
            await store.put(new, body(new, version), if_absent=True)
            acknowledged.send_bytes(f"{new} {version}".encode())

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))
