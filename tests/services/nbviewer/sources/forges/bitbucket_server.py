"""A Bitbucket to test against: the part of API version 2.0 that nbviewer uses, with Bitbucket's manners."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.services.nbviewer.sources.forges.serving import Forge, Repository, commit, directory


class Bitbucket(Forge):
    """Repositories by workspace and name. A branch with a slash is known to its paths by its commit alone."""

    def answer(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["2.0", "repositories", workspace]:
                names = [name for name in self.repositories if name[0] == workspace]
                return self._page(request, [{"full_name": "/".join(name)} for name in names]) if names else _none()
            case ["2.0", "repositories", workspace, repo, *rest] if (workspace, repo) in self.repositories:
                return self._repository(request, (workspace, repo), rest)
            case ["2.0", *_]:
                return _none()
            case [workspace, repo, "raw", ref, *path] if (workspace, repo) in self.repositories:
                files = self.repositories[workspace, repo].at(ref) if "/" not in ref else None
                return self.file(request, (files or {}).get("/".join(path)))
        return PlainTextResponse("a page of Bitbucket's") if "src" in parts else _none()

    def _repository(self, request: Request, name: tuple[str, str], rest: list[str]) -> Response:
        repository = self.repositories[name]
        match rest:
            case []:
                return self.json(request, {"full_name": "/".join(name), "mainbranch": {"name": repository.default}})
            case ["refs", "branches" | "tags" as kind]:
                return self._refs(request, repository, kind)
            case ["src", ref, *path] if "/" not in ref:
                return self._source(request, repository.at(ref), "/".join(path))
        return _none()

    def _refs(self, request: Request, repository: Repository, kind: str) -> Response:
        known = repository.branches if kind == "branches" else repository.tags
        asked = re.fullmatch(r'name ~ "(.*)"', request.query_params.get("q", 'name ~ ""'))
        assert asked is not None
        return self._page(
            request, [{"name": name, "target": {"hash": commit(name)}} for name in known if asked[1] in name]
        )

    def _source(self, request: Request, files: dict[str, bytes] | None, path: str) -> Response:
        if files is None:
            return _none()
        if path in files:
            return self.file(request, files[path])
        values = [
            {"path": f"{path}/{name}".strip("/"), "type": "commit_directory" if kind == "dir" else "commit_file"}
            for name, kind in directory(files, path).items()
        ]
        return self._page(request, values) if values else _none()

    def _page(self, request: Request, values: Iterable[Any]) -> Response:
        everything, size = list(values), int(request.query_params.get("pagelen", "10"))
        more = {"next": f"{request.url}&page=xyz"} if len(everything) > size else {}
        return self.json(request, {"values": everything[:size], **more})


def _none() -> Response:
    return PlainTextResponse('{"type": "error"}', status_code=404)
