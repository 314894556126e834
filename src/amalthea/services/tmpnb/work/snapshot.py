"""The manifest: what files a session had at one moment, and which bytes each of them held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from amalthea.model.wire import decode, encode
from amalthea.services.tmpnb.work.bounds import MOST_FILES
from amalthea.services.tmpnb.work.errors import BadSnapshot
from amalthea.services.tmpnb.work.keys import Name
from amalthea.services.tmpnb.work.paths import directories, is_fit
from amalthea.services.tmpnb.work.ulid import moment
from amalthea.services.tmpnb.work.why import Why

MANIFEST_BYTES = 32 * 2**20
MOST_OMISSIONS = 200
_VERSION = 1

Size = Annotated[int, Meta(ge=0, le=2**40)]
Short = Annotated[str, Meta(max_length=200)]
Facts = Annotated[dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=4096)]], Meta(max_length=32)]


class SavedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file: its path, its length in bytes, and the SHA-256 of its bytes in hex."""

    path: str
    size: Size
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    executable: bool = False


class Omission(msgspec.Struct, frozen=True, kw_only=True):
    """What is not there: one file, or with a slash at its end a directory; how many files and bytes.

    `path` is for people to read: it may be cut, and "" stands for several places.
    """

    path: Annotated[str, Meta(max_length=1100)]
    why: Why
    files: Size = 1
    size: Annotated[int, Meta(ge=0, le=2**60)] = 0


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A session's files as its site saw them. `files` are ordered by path; `facts` are the service's own."""

    session: Annotated[str, Meta(max_length=64)]
    site: Annotated[str, Meta(max_length=64)]
    ulid: Annotated[str, Meta(max_length=26)]
    made: Annotated[datetime, Meta(tz=True)]
    environment: Short = ""
    files: Annotated[tuple[SavedFile, ...], Meta(max_length=MOST_FILES)] = ()
    omitted: Annotated[tuple[Omission, ...], Meta(max_length=MOST_OMISSIONS + len(Why))] = ()
    facts: Facts = {}
    version: Annotated[int, Meta(ge=_VERSION, le=_VERSION)] = _VERSION

    @property
    def name(self) -> Name:
        """What it is called in the store."""
        return Name(self.ulid, self.site)

    @property
    def size(self) -> int:
        """All its bytes, unpacked."""
        return sum(file.size for file in self.files)

    @property
    def missed(self) -> Sequence[Omission]:
        """What was left out that its visitor may miss."""
        return [omission for omission in self.omitted if omission.why is not Why.CACHE]


def written(snapshot: Snapshot) -> bytes:
    """The manifest as it is kept. Raises `BadSnapshot` for one that could not be read again."""
    try:
        body = encode(snapshot).encode()
    except UnicodeEncodeError:
        raise BadSnapshot("what is said of a session is not text", where=snapshot.session) from None
    read(body, session=snapshot.session, name=snapshot.name)
    return body


def read(body: bytes, *, session: str, name: Name) -> Snapshot:
    """The manifest kept under this name. Raises `BadSnapshot` for everything that a site of ours does not write."""
    if len(body) > MANIFEST_BYTES:
        raise BadSnapshot(f"a manifest of more than {MANIFEST_BYTES} bytes", where=f"{session}/{name}")
    try:
        snapshot = decode(body, Snapshot)
    except (ValueError, RecursionError) as error:
        raise BadSnapshot(f"no manifest: {error}", where=f"{session}/{name}") from None
    if fault := _fault(snapshot, session, name):
        raise BadSnapshot(fault, where=f"{session}/{name}")
    return snapshot


def _fault(snapshot: Snapshot, session: str, name: Name) -> str:
    """What is wrong with a manifest of the right form, or ""."""
    if (snapshot.session, snapshot.name, snapshot.made) != (session, name, moment(name.ulid)):
        return "the manifest is that of another name"
    paths = [file.path for file in snapshot.files]
    if unfit := [path for path in paths if not is_fit(path)]:
        return f"{unfit[0][:100]!a} is no path below a home"
    if any(before >= path for before, path in pairwise(paths)):
        return "the paths are not in order"
    return "a path is that of a file and of a directory" if directories(paths).intersection(paths) else ""
