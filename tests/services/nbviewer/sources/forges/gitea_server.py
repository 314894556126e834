"""A Gitea to test against: the part of API version 1 that nbviewer uses, with Gitea's manners."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.services.nbviewer.sources.forges.serving import Forge, Repository, commit, directory


class Gitea(Forge):
    """Repositories by owner and name. `HEAD` is no ref to it."""

    def answer(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["api", "v1", "users", owner, "repos"]:
                names = [name for name in self.repositories if name[0] == owner]
                values = [{"name": name[1], "full_name": "/".join(name), "description": "some"} for name in names]
                return self.page(request, values, "limit") if values else self.json(request, None)
            case ["api", "v1", "repos", owner, repo, *rest] if (owner, repo) in self.repositories:
                return self._repository(request, (owner, repo), rest)
            case ["api", *_]:
                return self.json(request, None)
        return PlainTextResponse("a page of Gitea's")

    def _repository(self, request: Request, name: tuple[str, str], rest: list[str]) -> Response:
        repository = self.repositories[name]
        files = repository.at(request.query_params.get("ref", ""))
        match rest:
            case []:
                about = {"name": name[1], "full_name": "/".join(name), "default_branch": repository.default}
                return self.json(request, about)
            case ["branches"]:
                return self.page(request, [{"name": name} for name in repository.branches], "limit")
            case ["tags"]:
                return self.page(request, [{"name": name} for name in repository.tags], "limit")
            case ["git", "refs", kind, start]:
                return self.json(request, _matching(repository, kind, start))
            case ["contents", *path] if files is not None:
                whole = "/".join(path)
                if whole in files:
                    return self.json(request, {"name": path[-1], "type": "file"})
                return self.json(request, [{"name": n, "type": k} for n, k in directory(files, whole).items()] or None)
            case ["raw", *path] if files is not None:
                return self.file(request, files.get("/".join(path)))
        return self.json(request, None)


def _matching(repository: Repository, kind: str, start: str) -> Any:
    """A list of refs, one alone when it is the very one that was asked for, None when there is none."""
    known = repository.branches if kind == "heads" else repository.tags
    found = [
        {"ref": f"refs/{kind}/{name}", "object": {"sha": commit(name)}} for name in known if name.startswith(start)
    ]
    return found[0] if len(found) == 1 and start in known else found or None
