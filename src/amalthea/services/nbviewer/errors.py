"""What can go wrong between a visitor's request and somebody else's server.

    SourceError                502  the source cannot be shown
    +-- Refused                400  an address that this server does not fetch
    +-- Missing                404  the source says there is no such thing
    +-- Denied                 403  the source does not give it to us
        +-- Unauthorized       403  the source does not know our token
    +-- TooLarge               413  more bytes than the limit
    +-- TooHard                413  more time or memory than rendering may take
    +-- Malformed              502  not the answer that an API promises
    +-- Superseded             503  it changed while it was being read: ask again
    +-- Unavailable            502  no usable answer now: an older copy may be shown instead
        +-- TimedOut           504
        +-- RateLimited        503  says when to come back
        +-- Busy               503  this server has too much to render
    +-- TooOften               429  one network asks for more than its share

Each carries the HTTP status of the page it becomes.
"""

from __future__ import annotations

from datetime import datetime

from amalthea.model.errors import AmaltheaError


class SourceError(AmaltheaError):
    """The source cannot be shown; `status` is that of the page that says so."""

    status = 502


class Refused(SourceError):
    """An address that is not fetched. One text for every reason, so that it tells nothing about a network."""

    status = 400

    def __init__(self, where: str) -> None:
        super().__init__(
            "This address is not fetched: it has to be http or https, on a usual port, "
            "at a name that leads to the public internet.",
            where=where,
            hint="Check the address, or put the notebook where everybody can reach it.",
        )


class Missing(SourceError):
    """There is no such thing there."""

    status = 404


class Denied(SourceError):
    """It exists, or not; we are not given it."""

    status = 403


class Unauthorized(Denied):
    """The source does not accept the token that came with the request, or wants one."""


class TooLarge(SourceError):
    """More bytes than the limit, on the wire or unpacked."""

    status = 413


class TooHard(SourceError):
    """Rendering it takes more time or memory than it may."""

    status = 413


class TooOften(SourceError):
    """One network asks for more new work than its share; it may again in `seconds`."""

    status = 429

    def __init__(self, message: str, *, seconds: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


class Malformed(SourceError):
    """An answer that is not what the source's API promises."""


class Superseded(SourceError):
    """The source has newer bytes than those that were asked for."""

    status = 503


class Unavailable(SourceError):
    """No usable answer now."""


class TimedOut(Unavailable):
    """No answer in time."""

    status = 504


class RateLimited(Unavailable):
    """The source answers again at `until`, where it says when.

    `spent`: one account's budget is used up, which says nothing of other accounts.
    """

    status = 503

    def __init__(
        self, message: str, *, until: datetime | None = None, spent: bool = False, where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.until = until
        self.spent = spent


class Busy(Unavailable):
    """Too many notebooks wait to be rendered."""

    status = 503
