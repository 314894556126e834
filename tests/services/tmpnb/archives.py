"""A forge that hands out archives, and archives of every kind."""

from __future__ import annotations

import asyncio
import io
import stat
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.serving import serving

TOP = "notes-main/"


def archive(files: Mapping[str, bytes], *, top: str = TOP, executable: tuple[str, ...] = ()) -> bytes:
    """As forges make them: all files in one directory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, body in files.items():
            info = zipfile.ZipInfo(top + path)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | (0o755 if path in executable else 0o644)) << 16
            opened.writestr(info, body)
    return buffer.getvalue()


def link(path: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    """An entry that is a symbolic link."""
    info = zipfile.ZipInfo(TOP + path)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def of_entries(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    """An archive of whatever entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for info, body in entries:
            opened.writestr(info, body)
    return buffer.getvalue()


class Forge:
    """`archives` by path; `asked` tells what was asked for, and `gate` holds its answers up while it is closed."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes | int] = {}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode()
        self.asked.append(path)
        await self.gate.wait()
        await self._answer(path)(scope, receive, send)

    def _answer(self, path: str) -> Response:
        found = self.archives.get(path, 404)
        if isinstance(found, bytes):
            return Response(found, media_type="application/zip")
        if found == 302:
            return RedirectResponse("http://127.0.0.1:1/elsewhere", 302)
        return StreamingResponse(_endless()) if found == 0 else Response(status_code=found)


async def _endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield bytes(1 << 16)


@asynccontextmanager
async def running() -> AsyncIterator[Forge]:
    """A forge that answers at its `url`."""
    forge = Forge()
    async with serving(forge) as port:
        forge.url = f"http://127.0.0.1:{port}"
        yield forge
