"""Where the work of a session stands in the store."""

from __future__ import annotations

import re

import msgspec

from amalthea.model.errors import InvalidKey
from amalthea.services.tmpnb.work.ulid import PATTERN, moment

PREFIX = "tmpnb/work/"
_SESSION = re.compile(r"[A-Za-z0-9-]{1,64}")
_SITE = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_NAME = re.compile(rf"({PATTERN})-({_SITE})")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Name(msgspec.Struct, frozen=True, order=True):
    """What a snapshot is called; names sort by the time they were made, then by site."""

    ulid: str
    site: str

    def __str__(self) -> str:
        return f"{self.ulid}-{self.site}"


def session_prefix(session: str) -> str:
    """Where all of a session's work is. Raises `InvalidKey` for what is not 1 to 64 letters, digits and hyphens."""
    if not _SESSION.fullmatch(session):
        raise InvalidKey("a session is named by 1 to 64 letters, digits and hyphens", where=repr(session[:80]))
    return f"{PREFIX}{session}/"


def blobs_prefix(session: str) -> str:
    """Where the session's blobs are."""
    return f"{session_prefix(session)}blob/"


def snapshots_prefix(session: str) -> str:
    """Where the session's manifests are."""
    return f"{session_prefix(session)}snapshot/"


def blob_key(session: str, digest: str) -> str:
    """The key of the bytes with this SHA-256, in hex."""
    return blobs_prefix(session) + digest


def snapshot_key(session: str, name: Name) -> str:
    """The key of a manifest."""
    return f"{snapshots_prefix(session)}{name}"


def check_site(site: str) -> str:
    """Return `site` if it can stand in a name, else raise `InvalidKey`."""
    if not re.fullmatch(_SITE, site):
        raise InvalidKey("a site is named by 1 to 64 letters, digits, hyphens and underscores", where=repr(site[:80]))
    return site


def session_of(key: str) -> str | None:
    """The session that a key belongs to; None for a key of nobody's work."""
    session, slash, rest = key.removeprefix(PREFIX).partition("/")
    return session if key.startswith(PREFIX) and slash and rest and _SESSION.fullmatch(session) else None


def name_of(key: str) -> Name | None:
    """The name in a manifest's key; None where it is no such name, or of a time that no clock will show."""
    found = _NAME.fullmatch(key.rpartition("/snapshot/")[2])
    try:
        return Name(found[1], found[2]) if found and moment(found[1]) else None
    except ValueError:
        return None


def digest_of(key: str) -> str | None:
    """The hash in a blob's key; None where it is none."""
    text = key.rpartition("/blob/")[2]
    return text if _DIGEST.fullmatch(text) else None
