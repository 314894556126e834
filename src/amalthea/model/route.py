"""What the edge answers for a service, and what it does when no site has it."""

from __future__ import annotations

import msgspec

from amalthea.model.units import Duration


class Fallback(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor gets when no site has the service.

    With `redirect` (an absolute URL) a 307 there, the visitor's path appended if `keep_path`; without it a
    short page that links to the status page.
    """

    redirect: str = ""
    keep_path: bool = False


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Requests for `host` whose path is `prefix` or lies below it go to `service`.

    `host` is the first label of a public name (`nbviewer`), or a whole name; `prefix` begins with `/`, and the
    longest one that fits wins. `*.try` is every name below that of `try`. A GET or HEAD that has no answer after
    `hedge` is raced against another copy. A `timeout` of 0 is none, for event streams.

    With `keyed`, requests carry an id `<key>-<site>` of letters, digits and hyphens: as the first part of the path
    below `prefix` (`/user/k3j9-north/lab`), or, where `host` begins with `*.`, as the label in its place
    (`k3j9-north.try.example.org`). They go to that site while a copy there is well, else to another. Of two sites
    that fit the longer one is meant (`far-north`, not `north`); ids whose key has no hyphen are never misread.
    Without such an id a request goes to any copy. Nothing is raced, timed out, or sent twice if it may have been
    delivered, so `hedge` and `timeout` say nothing here; queries are secrets, and are neither logged nor sent to the
    fallback.
    """

    service: str
    host: str
    prefix: str = "/"
    timeout: Duration = Duration(30)
    hedge: Duration | None = None
    websocket: bool = True
    keyed: bool = False
    fallback: Fallback = Fallback()


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of a service as the edge reaches it. `ready_port` answers `/-/readyz`."""

    service: str
    site: str
    address: str
    port: int
    ready_port: int
