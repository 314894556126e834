"""What the forges to test against have in common: files by ref, a count of what was asked, ETags, and pages."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.serving import serving

Files = dict[str, bytes]


class Repository(msgspec.Struct):
    """Files by branch and by tag."""

    branches: dict[str, Files] = {}
    tags: dict[str, Files] = {}
    default: str = "main"

    def at(self, ref: str) -> Files | None:
        """The files at a branch, a tag or a commit."""
        refs = {**self.tags, **self.branches}
        commits = {commit(name): files for name, files in refs.items()}
        return refs.get(ref, commits.get(ref))

    def split(self, path: Sequence[str]) -> tuple[Files | None, str]:
        """The files of the longest ref that a path begins with, and the rest of it."""
        for size in range(len(path), 0, -1):
            files = self.at("/".join(path[:size]))
            if files is not None:
                return files, "/".join(path[size:])
        return None, ""


def commit(ref: str) -> str:
    """The commit that a ref points to."""
    return hashlib.sha1(ref.encode(), usedforsecurity=False).hexdigest()


def directory(files: Files, path: str) -> dict[str, str]:
    """The names in a directory, each `dir` or `file`."""
    prefix = f"{path}/" if path else ""
    below = [name.removeprefix(prefix) for name in files if name.startswith(prefix)]
    return {name.partition("/")[0]: "dir" if "/" in name else "file" for name in sorted(below)}


class Forge:
    """A server: `answer` says what stands at a path, its parts decoded one by one."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, ...], Repository] = {}
        self.asked: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self.url = ""

    @property
    def host(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def answer(self, request: Request, parts: list[str]) -> Response:
        raise NotImplementedError

    def application(self) -> Starlette:
        """The web server."""
        return Starlette(routes=[Route("/{rest:path}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        raw = request.scope["raw_path"].decode()
        self.asked[f"{request.method} {raw}"] += 1
        return self.answer(request, [unquote(part) for part in raw.strip("/").split("/")])

    def file(self, request: Request, body: bytes | None, headers: Mapping[str, str] | None = None) -> Response:
        """A body with an ETag, 304 where the asker has it, 404 for None."""
        if body is None:
            return PlainTextResponse("404: Not Found", status_code=404)
        fields = {**(headers or {}), "etag": f'"{hashlib.sha256(body).hexdigest()}"'}
        if request.headers.get("if-none-match") == fields["etag"]:
            return Response(status_code=304, headers=fields)
        self.bodies[request.url.path] += 1
        return Response(body, media_type="text/plain", headers=fields)

    def json(self, request: Request, value: Any, headers: Mapping[str, str] | None = None) -> Response:
        """A value, or 404 for None."""
        return self.file(request, None if value is None else json.dumps(value).encode(), headers)

    def page(self, request: Request, values: Sequence[Any], size: str = "per_page") -> Response:
        """One page of a list, with a `Link` header where another follows."""
        number, count = int(request.query_params.get("page", "1")), int(request.query_params.get(size, "30"))
        here = values[(number - 1) * count : number * count]
        after = f'<{request.url.include_query_params(page=number + 1)}>; rel="next"'
        return self.json(request, here, {"link": after} if number * count < len(values) else {})


F = TypeVar("F", bound=Forge)


@asynccontextmanager
async def running(forge: F) -> AsyncIterator[F]:
    """The server on a free port of loopback, until the block ends."""
    async with serving(forge.application()) as port:
        forge.url = f"http://127.0.0.1:{port}"
        yield forge
