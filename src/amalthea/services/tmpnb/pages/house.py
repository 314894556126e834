"""What every page needs to hand."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import msgspec

from amalthea.model.clock import Clock
from amalthea.services.tmpnb.lite.first_use import FirstUse
from amalthea.services.tmpnb.moves import Moves
from amalthea.services.tmpnb.pages.wishes import Wishes
from amalthea.services.tmpnb.places import Places
from amalthea.services.tmpnb.sessions.admission import Admission
from amalthea.services.tmpnb.sessions.session import Session
from amalthea.services.tmpnb.sessions.sessions import Sessions
from amalthea.services.tmpnb.settings import Settings
from amalthea.services.tmpnb.work.saver import Saver
from amalthea.services.tmpnb.work.work import Work
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages
from amalthea.web.visitors import Visitors

LITE = "/lite/"


class House(msgspec.Struct, frozen=True, kw_only=True):
    """All parts of one process. `lite` is there where JupyterLite is offered; `token` opens the API, if set."""

    site: str
    settings: Settings
    places: Places
    visitors: Visitors
    wishes: Wishes
    admission: Admission
    sessions: Sessions
    work: Work
    saver: Saver
    moves: Moves
    pages: Pages
    static: StaticFiles
    clock: Clock
    lite: FirstUse | None = None
    token: str = ""

    def url(self, session: Session, page: str = "") -> str:
        """The address of a session, or of one page of its server, with the token that opens it."""
        path = session.path
        if page:
            inside, _, query = page.partition("?")
            path = f"{session.base}{inside}?{f'{query}&' if query else ''}token={session.token}"
        return self.places.url(session.name, path)

    @property
    def lite_path(self) -> str:
        """Where JupyterLite is; "" where it is not to be had."""
        return LITE if self.lite is not None and self.lite.offered else ""

    @property
    def remembered(self) -> float:
        """How many seconds a browser knows a session for: as long as there may be something of it."""
        return self.settings.longest + self.settings.keep

    @property
    def overflowing(self) -> bool:
        """Whether a visitor who comes now is sent elsewhere at once: nobody should wait that long unasked."""
        if not self.settings.fallback or self.admission.free:
            return False
        expected = self.admission.expected(len(self.admission.waiting) + 1)
        return expected is None or expected > self.settings.patience

    def elsewhere(self, page: str = "", repository: str = "") -> str:
        """The fallback; at a BinderHub with the repository, and the page, that was asked for."""
        fallback = self.settings.fallback
        hub, found, _ = fallback.partition("/v2/")
        if not found:
            return fallback
        if repository:
            fallback = f"{hub}/v2/{quote(repository)}"
        if page in ("", "lab"):
            return fallback
        return f"{fallback}{'&' if '?' in fallback else '?'}urlpath={quote(page, safe='')}"

    def may_use_api(self, authorization: str) -> bool:
        """Whether a header shows the token of the API."""
        kind, _, token = authorization.partition(" ")
        return kind.lower() in ("token", "bearer") and secrets.compare_digest(
            token.strip().encode(), self.token.encode()
        )
