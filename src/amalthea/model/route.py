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
    longest one that fits wins. A GET or HEAD that has no answer after `hedge` is raced against another copy. A
    `timeout` of 0 is none, for event streams.
    """

    service: str
    host: str
    prefix: str = "/"
    timeout: Duration = Duration(30)
    hedge: Duration | None = None
    websocket: bool = True
    fallback: Fallback = Fallback()


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of a service as the edge reaches it. `ready_port` answers `/-/readyz`."""

    service: str
    site: str
    address: str
    port: int
    ready_port: int
