"""A Zenodo to test against: records and their files."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from tests.services.nbviewer.sources.forges.serving import Files, Forge


class Zenodo(Forge):
    """Files by record; `newest` holds the record that a number for all versions leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, Files] = {}
        self.newest: dict[str, str] = {}

    def answer(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["api", "records", number] if number in self.newest:
                return RedirectResponse(f"/api/records/{self.newest[number]}")
            case ["api", "records", number] if number in self.records:
                files = [{"key": name, "size": len(body)} for name, body in self.records[number].items()]
                return self.json(request, {"id": int(number), "metadata": {"title": "Light & lenses"}, "files": files})
            case ["api", "records", number, "files", name, "content"]:
                return self.file(request, self.records.get(number, {}).get(name))
            case ["api", *_]:
                return self.json(request, None)
        return PlainTextResponse("a page of Zenodo's")
