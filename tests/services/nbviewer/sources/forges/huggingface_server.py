"""A Hugging Face to test against: the part of its hub's API that nbviewer uses."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.services.nbviewer.sources.forges.serving import Forge, commit, directory

_KINDS = ("models", "datasets", "spaces")


class HuggingFace(Forge):
    """Repositories by kind (`models`, `datasets`, `spaces`), owner and name. `HEAD` is no revision to it."""

    def answer(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["api", kind]:
                author = request.query_params["author"]
                return self.json(
                    request, [{"id": "/".join(n[1:])} for n in self.repositories if n[:2] == (kind, author)]
                )
            case ["api", kind, owner, repo, *rest]:
                return self._repository(request, (kind, owner, repo), rest)
            case ["datasets" | "spaces" as kind, owner, repo, "resolve", ref, *path]:
                return self._file(request, (kind, owner, repo), ref, path)
            case [owner, repo, "resolve", ref, *path]:
                return self._file(request, ("models", owner, repo), ref, path)
        return PlainTextResponse("a page of Hugging Face's")

    def _repository(self, request: Request, name: tuple[str, ...], rest: list[str]) -> Response:
        repository = self.repositories.get(name)
        if repository is None:
            return PlainTextResponse("Repository not found", status_code=404)
        match rest:
            case []:
                return self.json(request, {"id": "/".join(name[1:])})
            case ["refs"]:
                branches = [{"name": ref, "targetCommit": commit(ref)} for ref in repository.branches]
                tags = [{"name": ref, "targetCommit": commit(ref)} for ref in repository.tags]
                return self.json(request, {"branches": branches, "tags": tags, "converts": []})
            case ["tree", ref, *path]:
                files, prefix = repository.at(ref), "/".join(path)
                found = directory(files, prefix) if files is not None else {}
                values = [
                    {"path": f"{prefix}/{n}".strip("/"), "type": "directory" if k == "dir" else k}
                    for n, k in found.items()
                ]
                return self.json(request, values or None)
        return self.json(request, None)

    def _file(self, request: Request, name: tuple[str, ...], ref: str, path: list[str]) -> Response:
        repository = self.repositories.get(name)
        files = repository.at(ref) if repository else None
        return self.file(request, (files or {}).get("/".join(path)))
