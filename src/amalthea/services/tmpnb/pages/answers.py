"""What the answers of all pages share."""

from __future__ import annotations

from math import ceil

from starlette.requests import Request

from amalthea.model.errors import AmaltheaError, InvalidKey
from amalthea.services.tmpnb.errors import BadRepository, NoSuchSession, NotAllowed, NotNow
from amalthea.web.application import PageError

UNCACHED = {"cache-control": "no-store"}


def page_csp(sessions: str) -> str:
    """The policy of our pages. `sessions` are the origins that a form may lead to, besides our own."""
    forms = f"'self' {sessions}".strip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action {forms}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def page_error(error: AmaltheaError) -> PageError:
    """The page that says what is wrong."""
    if isinstance(error, InvalidKey):
        return PageError(404, "There is no such session.")
    status = error.status if isinstance(error, NotNow | NotAllowed | NoSuchSession | BadRepository) else 503
    seconds = error.seconds if isinstance(error, NotNow) else None
    headers = {"retry-after": str(ceil(seconds))} if seconds else {}
    return PageError(status, error.message, where=error.where, hint=error.hint, headers=headers)


def check_same_origin(request: Request) -> None:
    """Raises a page for a form that another site sent: it would start servers in its visitors' names."""
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    same = site in ("same-origin", "none") if site else not origin or origin.partition("://")[2] == host
    if not same:
        raise PageError(403, "Another site sent this form.", hint="Start from the front page.")
