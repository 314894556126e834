"""A GitHub to test against: the part of the API, the raw host and the gists that nbviewer uses.

It is a real HTTP server with GitHub's manners: ETags that differ by token and 304s, rate limits by token,
refs with slashes, redirects from old names, pages with a `Link` header, a raw host that takes a ref of one part
or a full one, `refs/heads/a/b`. It counts what it is asked, and can be told to be in trouble. Run by itself it
serves the repositories that lie in a directory, as DIR/user/repo/...:

    python -m tests.services.nbviewer.sources.github_server --port 8080 --directory DIR
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.serving import serving

Files = dict[str, bytes]
_INLINE_BYTES = 1_000_000


class Repository(msgspec.Struct):
    """Files by branch and by tag."""

    branches: dict[str, Files] = {}
    tags: dict[str, Files] = {}
    default: str = "main"

    def at(self, ref: str) -> Files | None:
        """The files at a branch, a tag, `HEAD` or a full ref."""
        if ref == "HEAD":
            ref = self.default
        short = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
        return self.branches.get(short, self.tags.get(short))


class Gist(msgspec.Struct):
    """A gist; without an owner it is anonymous."""

    files: Files
    owner: str | None = None


class GitHub:
    """The state of one server. `trouble` is what goes wrong now; `left` the requests until the rate limit.

    `budgets` holds what is left of each token; one that is not in it is not known here, unless none is. `renamed`
    leads from an old name of a repository to its new one. `pause` are the seconds of a secondary rate limit.
    """

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.gists: dict[str, Gist] = {}
        self.trouble: Literal["", "down", "slow"] = ""
        self.left = 5000
        self.budgets: dict[str, int] = {}
        self.renamed: dict[tuple[str, str], tuple[str, str]] = {}
        self.pause = 0
        self.reset = 4_102_444_800
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self.headers: dict[str, Mapping[str, str]] = {}

    @classmethod
    def of_directory(cls, directory: Path) -> GitHub:
        """Every DIR/user/repo as a repository with one branch, `main`."""
        made = cls()
        for repo in sorted(path for path in directory.glob("*/*") if path.is_dir()):
            files = {str(file.relative_to(repo)): file.read_bytes() for file in repo.rglob("*") if file.is_file()}
            made.repositories[repo.parent.name, repo.name] = Repository(branches={"main": files})
        return made

    def settings(self) -> dict[str, str]:
        """nbviewer's settings for this GitHub."""
        return {
            "github_url": self.url,
            "github_api_url": f"{self.url}/api/v3",
            "github_raw_url": f"{self.url}/raw",
            "gist_url": f"{self.url}/gist",
        }

    def application(self) -> Starlette:
        """The web server."""
        return Starlette(routes=[Route("/-/asked", self._counts), Route("/{rest:path}", self._answer)])

    async def _counts(self, request: Request) -> Response:
        return JSONResponse({"asked": self.asked, "bodies": self.bodies})

    async def _answer(self, request: Request) -> Response:
        raw = request.scope["raw_path"].decode()
        self.asked[f"{request.method} {raw}"] += 1
        self.headers[raw] = dict(request.headers)
        if self.trouble == "slow":
            await asyncio.sleep(60)
        if self.trouble == "down":
            return PlainTextResponse("unicorn", status_code=503)
        parts = [unquote(part) for part in raw.strip("/").split("/")]
        if self.pause:
            return PlainTextResponse("slow down", status_code=429, headers={"retry-after": str(self.pause)})
        match parts:
            case ["raw", user, repo, *rest]:
                return self._file(request, self._raw(user, repo, rest))
            case ["gist", "raw", id, name]:
                return self._file(request, self.gists[id].files.get(name) if id in self.gists else None)
            case ["api", "v3", *rest]:
                return self._api(request, rest)
        return PlainTextResponse(f"a page of GitHub: {raw}")

    def _raw(self, user: str, repo: str, rest: list[str]) -> bytes | None:
        repository = self.repositories.get((user, repo))
        if repository is None:
            return None
        for size in range(1, len(rest)):
            ref = "/".join(rest[:size])
            files = repository.at(ref) if size == 1 or ref.startswith("refs/") else None
            if files is not None:
                return files.get("/".join(rest[size:]))
        return None

    def _file(self, request: Request, body: bytes | None, headers: Mapping[str, str] | None = None) -> Response:
        if body is None:
            return PlainTextResponse("404: Not Found", status_code=404, headers=headers)
        etag = f'"{hashlib.sha256(body + _token(request).encode()).hexdigest()}"'
        fields = {**(headers or {}), "etag": etag, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=fields)
        self.bodies[request.url.path] += 1
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, fields["content-encoding"] = gzip.compress(body, 1), "gzip"
        return Response(body, media_type="text/plain", headers=fields)

    def _api(self, request: Request, parts: list[str]) -> Response:
        token = _token(request)
        if self.budgets and token and token not in self.budgets:
            return JSONResponse({"message": "Bad credentials"}, status_code=401)
        left = self.budgets.get(token, self.left)
        if left <= 0:
            limits = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(self.reset)}
            return JSONResponse({"message": "API rate limit exceeded"}, status_code=403, headers=limits)
        moved = self._moved(request, parts)
        if moved is not None:
            return moved
        value, headers = self._page(request, self._value(request, parts), parts)
        body = json.dumps(value).encode() if value is not None else None
        answer = self._file(request, body, {"x-ratelimit-remaining": str(left - 1), **headers})
        cost = int(answer.status_code != 304)
        if token in self.budgets:
            self.budgets[token] -= cost
        else:
            self.left -= cost
        return answer

    def _moved(self, request: Request, parts: list[str]) -> Response | None:
        """Old names redirect to a number, which stands for the repository under whatever name."""
        numbers = {str(number): old for number, old in enumerate(self.renamed, start=1)}
        match parts:
            case ["repos", user, repo, *rest] if (user, repo) in self.renamed:
                number = list(self.renamed).index((user, repo)) + 1
                path = "/".join(["repositories", str(number), *(quote(part, safe="") for part in rest)])
                query = f"?{request.url.query}" if request.url.query else ""
                return Response(status_code=301, headers={"location": f"{self.url}/api/v3/{path}{query}"})
            case ["repositories", number, *rest]:
                return self._api(request, ["repos", *self.renamed[numbers[number]], *rest])
        return None

    def _page(self, request: Request, value: Any, parts: list[str]) -> tuple[Any, dict[str, str]]:
        """One page of what a user has."""
        if not isinstance(value, list) or parts[0] != "users":
            return value, {}
        number, size = int(request.query_params.get("page", "1")), int(request.query_params.get("per_page", "30"))
        after = f'<{request.url.include_query_params(page=number + 1)}>; rel="next"'
        return value[(number - 1) * size : number * size], {"link": after} if number * size < len(value) else {}

    def _value(self, request: Request, parts: list[str]) -> Any:
        match parts:
            case ["users", user, "repos"]:
                names = [{"name": repo} for owner, repo in self.repositories if owner == user]
                return names or None
            case ["users", user, "gists"]:
                found = [self._gist(key, gist) for key, gist in self.gists.items() if gist.owner == user]
                for gist in found:
                    for file in gist["files"].values():
                        del file["content"], file["truncated"]
                return found or None
            case ["gists", id] if id in self.gists:
                return self._gist(id, self.gists[id])
            case ["repos", user, repo, *rest] if (user, repo) in self.repositories:
                return self._of_repository(request, (user, repo), rest)
        return None

    def _of_repository(self, request: Request, name: tuple[str, str], rest: list[str]) -> Any:
        repository = self.repositories[name]
        match rest:
            case []:
                about = {"name": name[1], "full_name": "/".join(name), "description": None}
                return {**about, "default_branch": repository.default}
            case ["branches"]:
                return [{"name": name} for name in repository.branches]
            case ["tags"]:
                return [{"name": name} for name in repository.tags]
            case ["git", "matching-refs", kind, prefix]:
                known = repository.branches if kind == "heads" else repository.tags
                return [{"ref": f"refs/{kind}/{name}"} for name in known if name.startswith(prefix)]
            case ["contents", *path]:
                files = repository.at(request.query_params["ref"])
                web = f"{self.url}/{name[0]}/{name[1]}/blob/x"
                return None if files is None else _contents(files, "/".join(part for part in path if part), web)
        return None

    def _gist(self, id: str, gist: Gist) -> Any:
        files = {
            name: {
                "filename": name,
                "raw_url": f"{self.url}/gist/raw/{id}/{name}",
                "size": len(body),
                "truncated": len(body) > _INLINE_BYTES,
                "content": body[:_INLINE_BYTES].decode(),
            }
            for name, body in gist.files.items()
        }
        return {"id": id, "files": files, "owner": {"login": gist.owner} if gist.owner else None, "description": None}


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _contents(files: Files, path: str, web: str) -> Any:
    """A directory as a list, a file as an object."""
    if path in files:
        return {"name": path, "type": "file", "content": base64.b64encode(files[path]).decode()}
    prefix = f"{path}/" if path else ""
    below = [name.removeprefix(prefix) for name in files if name.startswith(prefix)]
    kinds = {name.partition("/")[0]: "dir" if "/" in name else "file" for name in below}
    return [{"name": name, "type": kind, "html_url": f"{web}/{name}"} for name, kind in kinds.items()] or None


@asynccontextmanager
async def running(github: GitHub) -> AsyncIterator[GitHub]:
    """The server on a free port of loopback, until the block ends."""
    async with serving(github.application()) as port:
        github.url = f"http://127.0.0.1:{port}"
        yield github


def main() -> None:
    """Serve a directory until interrupted."""
    parser = argparse.ArgumentParser(description="A GitHub to test against.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    options = parser.parse_args()
    github = GitHub.of_directory(options.directory)
    github.url = f"http://127.0.0.1:{options.port}"
    print(json.dumps(github.settings()), flush=True)
    uvicorn.run(github.application(), port=options.port, log_config=None, access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
