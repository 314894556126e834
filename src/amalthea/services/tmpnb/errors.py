"""Why somebody does not get a notebook server, or not now.

    NotNow                 503  somebody has to wait, or to go elsewhere
    +-- Full               503  every place is taken, and the queue is too long
    +-- TooMany            429  one network asks for more than its share
    +-- NotStarted         503  a session could not be started
    NotAllowed             403  banned, or without the right token
    NoSuchSession          404  there is none of that name, or no more
    BadRepository          400  files that cannot be had

Each carries the HTTP status of the page it becomes.
"""

from __future__ import annotations

from amalthea.model.errors import AmaltheaError


class NotNow(AmaltheaError):
    """It may work later: `seconds` from now, where that is known."""

    status = 503

    def __init__(self, message: str, *, seconds: float | None = None, hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint, where=where)
        self.seconds = seconds


class Full(NotNow):
    """Every place is taken."""


class TooMany(NotNow):
    """One network has, or asks for, more sessions than its share."""

    status = 429


class NotStarted(NotNow):
    """The session could not be started."""


class NotAllowed(AmaltheaError):
    """Whoever asks may not have this."""

    status = 403


class NoSuchSession(AmaltheaError):
    """There is no session of that name here."""

    status = 404


class BadRepository(AmaltheaError):
    """The files that a session should begin with cannot be had."""

    status = 400
