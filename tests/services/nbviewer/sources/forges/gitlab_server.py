"""A GitLab to test against: the part of API version 4 that nbviewer uses, with GitLab's manners."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from tests.services.nbviewer.sources.forges.serving import Forge, Repository, commit, directory

_TYPES = {"dir": "tree", "file": "blob"}


class GitLab(Forge):
    """Projects by group, subgroup and name; `moved` holds the names that projects had."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: dict[str, str] = {}

    def answer(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["api", "v4", "projects", name, *rest]:
                if name in self.moved:
                    new = self.moved[name].replace("/", "%2F")
                    query = f"?{request.url.query}" if request.url.query else ""
                    return RedirectResponse(f"/api/v4/projects/{'/'.join([new, *rest])}{query}", status_code=301)
                project = self.repositories.get(tuple(name.split("/")))
                return self.json(request, None) if project is None else self._project(request, name, project, rest)
            case ["api", "v4", "groups", name, "projects"]:
                return self._projects(request, name)
            case ["api", "v4", "groups", name, "subgroups"]:
                return self.page(request, [{"full_path": path, "description": None} for path in self._below(name)])
            case ["api", "v4", "users", name, "projects"]:
                return self._projects(request, name)
            case ["api", *_]:
                return self.json(request, None)
        if "-" in parts and tuple(parts[: parts.index("-")]) in self.repositories:
            return PlainTextResponse("a page of GitLab's")
        return RedirectResponse("/users/sign_in")

    def _project(self, request: Request, name: str, project: Repository, rest: list[str]) -> Response:
        query = request.query_params
        ref = query.get("ref", "HEAD")
        files = project.at(project.default if ref == "HEAD" else ref)
        match rest:
            case []:
                return self.json(request, {"path_with_namespace": name, "default_branch": project.default})
            case ["repository", "branches"]:
                return self.page(request, _named(project.branches, query.get("search", "")))
            case ["repository", "tags"]:
                return self.page(request, _named(project.tags, query.get("search", "")))
            case ["repository", "tree"] if files is not None:
                found = directory(files, query.get("path", ""))
                if not found and query.get("path"):
                    return self.json(request, None)
                return self.page(request, [{"name": n, "type": _TYPES[kind]} for n, kind in found.items()])
            case ["repository", "files", path, "raw"] if files is not None:
                return self.file(request, files.get(path))
        return self.json(request, None)

    def _projects(self, request: Request, owner: str) -> Response:
        names = ["/".join(name) for name in self.repositories if "/".join(name[:-1]) == owner]
        if not names and not self._below(owner):
            return self.json(request, None)
        return self.page(request, [{"path_with_namespace": name, "default_branch": "main"} for name in names])

    def _below(self, group: str) -> list[str]:
        """The groups directly below a group."""
        start = group.split("/")
        deeper = [
            name for name in self.repositories if list(name[: len(start)]) == start and len(name) > len(start) + 1
        ]
        return sorted({"/".join(name[: len(start) + 1]) for name in deeper})


def _named(refs: dict[str, Any], search: str) -> list[dict[str, Any]]:
    names = [name for name in refs if name.startswith(search[1:]) or not search.startswith("^")]
    return [{"name": name, "commit": {"id": commit(name)}} for name in names]
