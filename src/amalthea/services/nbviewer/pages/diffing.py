"""`/diff`: two notebooks compared.

The two are any paths of this server, or anything that the paste box takes: `/diff?a=…&b=…`. Where they differ in one
part of their path only, such as the commit, both stand there: `/diff/github/user/repo/blob/v1..main/file.ipynb`.
Git allows no two dots inside the name of a ref.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.errors import Missing, SourceError
from amalthea.services.nbviewer.pages.answers import packed, page_response, problem
from amalthea.services.nbviewer.pages.basing import ROOT
from amalthea.services.nbviewer.pages.viewing import Viewing
from amalthea.services.nbviewer.paste.elsewhere import Rule
from amalthea.services.nbviewer.paste.rewriting import quoted, rewrite
from amalthea.services.nbviewer.press.press import Press
from amalthea.services.nbviewer.press.work import Kind
from amalthea.services.nbviewer.render import NotANotebook
from amalthea.services.nbviewer.source import Asked, Crumb, Document, Moved, split
from amalthea.web.templates import Pages

_TWO = re.compile(r"([^/]+?)\.{2,3}([^/]+)")
_MOST_MOVES = 5
_LONGEST = 4000


class Diffing:
    """Answers with comparisons. `rules` are those of the paste box."""

    def __init__(
        self,
        viewing: Viewing,
        *,
        press: Press,
        pages: Pages,
        rules: Sequence[Rule],
        csp: str,
        clock: Clock,
        base: str = ROOT,
    ) -> None:
        self._viewing = viewing
        self._press = press
        self._pages = pages
        self._rules = rules
        self._csp = csp
        self._clock = clock
        self._base = base

    def routes(self) -> Sequence[BaseRoute]:
        """Both forms."""
        return [Route("/diff", self.asked_by_form), Route("/diff/{rest:path}", self.asked_by_path)]

    async def asked_by_form(self, request: Request) -> Response:
        """The form, or the comparison of what it was filled in with."""
        old, new = (request.query_params.get(name, "").strip()[:_LONGEST] for name in ("a", "b"))
        if not old or not new:
            page = packed(self._pages.html("compare.html", old=old, new=new))
            return page_response(request, page, cache_control="public, max-age=300")
        return await self._compared(request, *(self._path(text) for text in (old, new)))

    async def asked_by_path(self, request: Request) -> Response:
        """The comparison of the two paths that are in one."""
        raw: bytes = request.scope["raw_path"]
        _, _, path = raw.decode("latin-1").partition("/diff")
        if not path.strip("/"):
            return await self.asked_by_form(request)
        try:
            old, new = two(path)
        except Missing as error:
            raise problem(error, now=self._clock()) from error
        return await self._compared(request, old, new)

    def _path(self, given: str) -> str:
        """What was given as a path of this server: it may be one already."""
        own = given.startswith("/") and not given.startswith("//")
        below = given[len(self._base) - 1 :] if given.startswith(self._base) else given  # copied from a browser's bar
        return quoted(below if own else rewrite(given, self._rules))

    async def _compared(self, request: Request, old: str, new: str) -> Response:
        try:
            before, after = await self._document(old), await self._document(new)
            page = await self._press.page(_titled(before, after), kind=Kind.DIFF, against=before)
        except (SourceError, NotANotebook) as error:
            raise problem(error, now=self._clock()) from error
        age = self._viewing.cache_control(after, False)
        return page_response(request, page, cache_control=age, csp=self._csp)

    async def _document(self, path: str) -> Document:
        """The notebook under a path, wherever that leads. Raises `SourceError`."""
        for _ in range(_MOST_MOVES):
            asked = Asked(parts=split(path), raw=path, slash=path.endswith("/"))
            answer = await self._viewing.find(asked)
            if isinstance(answer, Document):
                return self._viewing.placed(answer, asked)
            if not isinstance(answer, Moved) or not answer.location.startswith("/"):
                break
            path = answer.location.partition("?")[0]
        raise Missing("There is no notebook here that could be compared.", where=path)


def two(path: str) -> tuple[str, str]:
    """The older and the newer path in `/a/x..y/b`. Raises `Missing` where there are not two."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        found = _TWO.fullmatch(part)
        if found is not None:
            paths = ("/".join([*parts[:index], side, *parts[index + 1 :]]) for side in (found[1], found[2]))
            return _with_view(next(paths)), _with_view(next(paths))
    raise Missing(
        "A comparison needs two notebooks: two refs with dots between them, as in /v1..main/, or /diff?a=…&b=….",
        where=f"/diff{path}",
    )


def _with_view(path: str) -> str:
    """`blob` may be left out of a path of GitHub."""
    parts = path.split("/")
    if len(parts) > 5 and parts[1] == "github" and parts[4] not in ("blob", "raw"):
        parts.insert(4, "blob")
    return "/".join(parts)


def _titled(before: Document, after: Document) -> Document:
    """The newer one, with the way to both around it."""
    sides = tuple(Crumb(document.chrome.path, document.chrome.path) for document in (before, after))
    stale = before.chrome.stale or after.chrome.stale
    chrome = msgspec.structs.replace(after.chrome, crumbs=sides, path=_address(before, after), stale=stale, launch=())
    return msgspec.structs.replace(after, chrome=chrome)


def _address(before: Document, after: Document) -> str:
    return f"/diff?a={quote(before.chrome.path, safe='/')}&b={quote(after.chrome.path, safe='/')}"
